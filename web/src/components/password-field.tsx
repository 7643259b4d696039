import { PasswordInput } from '@mantine/core'
import { useState } from 'react'
import type { UseFormRegisterReturn } from 'react-hook-form'
import { texts } from '@/lib/texts'

interface Props {
  label: string
  registration: UseFormRegisterReturn
  error: string | undefined
  autoComplete: 'current-password' | 'new-password'
  describedBy?: string | undefined
}

/** A password with a button that shows it; pasting and password managers work. */
export function PasswordField({ label, registration, error, autoComplete, describedBy }: Props) {
  const [visible, setVisible] = useState(false)
  return (
    <PasswordInput
      {...registration}
      label={label}
      error={error}
      autoComplete={autoComplete}
      autoCapitalize="none"
      spellCheck={false}
      visible={visible}
      onVisibilityChange={setVisible}
      {...(describedBy && { 'aria-describedby': describedBy })}
      visibilityToggleButtonProps={{
        'aria-label': visible ? texts.field.hide : texts.field.show,
        'aria-pressed': visible,
        tabIndex: 0,
      }}
    />
  )
}
