import { zodResolver } from '@hookform/resolvers/zod'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Form } from '@/components/form'
import { PasswordField } from '@/components/password-field'
import { NewPasswordField } from '@/features/password/components/new-password-field'
import { usePasswordCheck } from '@/features/password/lib/use-password-check'
import { fields } from '@/lib/fields'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSubmit } from '@/lib/use-submit'
import { useChangePassword } from '../api/change-password'
import { useMe } from '../api/me'

const schema = z.object({ current_password: fields.password, new_password: fields.password })
type Values = z.infer<typeof schema>

/** The password as it is, and as it shall be. */
export function PasswordForm() {
  const change = useChangePassword()
  const { data: me } = useMe()
  const checkPassword = usePasswordCheck()
  const personal = me ? [me.username, me.email, me.first_name, me.last_name] : []
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: { current_password: '', new_password: '' },
  })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(form, async (values) => {
    const isSame = values.new_password === values.current_password
    const message = isSame ? texts.password.same : checkPassword(values.new_password, personal)
    if (message) return form.setError('new_password', { message }, { shouldFocus: true })
    await change.mutateAsync(values)
    form.reset()
    toast(texts.password.done)
  })
  return (
    <Form
      onSubmit={onSubmit}
      problem={problem}
      isSubmitting={isSubmitting}
      submit={texts.password.submit}
      width="own"
      className="narrow"
    >
      <input type="text" autoComplete="username" value={me?.username ?? ''} readOnly hidden />
      <PasswordField
        label={texts.field.currentPassword}
        registration={form.register('current_password')}
        error={errors.current_password?.message}
        autoComplete="current-password"
      />
      <NewPasswordField
        label={texts.field.newPassword}
        registration={form.register('new_password')}
        error={errors.new_password?.message}
        value={form.watch('new_password')}
        personal={personal}
      />
    </Form>
  )
}
