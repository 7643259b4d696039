import { Alert } from '@mantine/core'
import { IconCircleCheck, IconInfoCircle } from '@tabler/icons-react'
import type { ReactNode } from 'react'

/** Something to know, or something that went well. */
export function Notice({
  tone,
  title,
  children,
}: {
  tone: 'good' | 'note'
  title?: string
  children: ReactNode
}) {
  const Icon = tone === 'good' ? IconCircleCheck : IconInfoCircle
  return (
    <Alert title={title} icon={<Icon aria-hidden />} data-tone={tone} role="status">
      {children}
    </Alert>
  )
}
