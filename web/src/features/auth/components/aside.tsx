import { Text } from '@mantine/core'
import type { ReactNode } from 'react'

/** The line below a form: where else one may want to go. */
export function Aside({ children }: { children: ReactNode }) {
  return (
    <Text c="dimmed" size="sm" mt="lg">
      {children}
    </Text>
  )
}
