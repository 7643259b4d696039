import { Skeleton, Stack } from '@mantine/core'
import { useId } from 'react'
import type { UseFormRegisterReturn } from 'react-hook-form'
import { PasswordField } from '@/components/password-field'
import { usePasswordPolicy } from '../api/password-policy'
import { judge } from '../lib/rules'
import { useStrength } from '../lib/use-strength'
import { PasswordRules } from './password-rules'
import { StrengthMeter } from './strength-meter'

interface Props {
  label: string
  registration: UseFormRegisterReturn
  error: string | undefined
  /** What is typed now. */
  value: string
  /** What the password must not resemble. */
  personal: readonly string[]
}

/** A field for a new password, with the server's rules and the strength below it. */
export function NewPasswordField({ label, registration, error, value, personal }: Props) {
  const id = useId()
  const policy = usePasswordPolicy()
  const strength = useStrength(value, personal)
  return (
    <Stack gap="xs">
      <PasswordField
        label={label}
        registration={registration}
        error={error}
        autoComplete="new-password"
        describedBy={policy.data ? id : undefined}
      />
      <StrengthMeter strength={strength} />
      {policy.data && (
        <PasswordRules
          id={id}
          rules={judge(policy.data, value, { personal, isCommon: strength?.isCommon })}
        />
      )}
      {policy.isPending && <Skeleton height={72} aria-hidden />}
    </Stack>
  )
}
