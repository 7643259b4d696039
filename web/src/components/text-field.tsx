import { TextInput } from '@mantine/core'
import type { ComponentProps } from 'react'
import type { UseFormRegisterReturn } from 'react-hook-form'

type Kind = 'username' | 'login' | 'email' | 'code' | 'given-name' | 'family-name' | 'confirmation'

interface Props {
  kind: Kind
  label: string
  registration: UseFormRegisterReturn
  error: string | undefined
  description?: string
}

type InputProps = Pick<ComponentProps<'input'>, 'type' | 'autoComplete' | 'inputMode' | 'autoCapitalize'>

const BY_KIND: Record<Kind, InputProps> = {
  username: { autoComplete: 'username', autoCapitalize: 'none' },
  login: { autoComplete: 'username', autoCapitalize: 'none' },
  email: { type: 'email', autoComplete: 'email', inputMode: 'email', autoCapitalize: 'none' },
  code: { autoComplete: 'one-time-code', inputMode: 'numeric' },
  'given-name': { autoComplete: 'given-name' },
  'family-name': { autoComplete: 'family-name' },
  confirmation: { autoComplete: 'off', autoCapitalize: 'none' },
}

/** A line of text with the attributes that keyboards and password managers go by. */
export function TextField({ kind, label, registration, error, description }: Props) {
  const isName = kind === 'given-name' || kind === 'family-name'
  return (
    <TextInput
      {...registration}
      {...BY_KIND[kind]}
      label={label}
      description={description}
      error={error}
      spellCheck={isName}
      data-kind={kind}
    />
  )
}
