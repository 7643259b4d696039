import { zodResolver } from '@hookform/resolvers/zod'
import { useNavigate } from '@tanstack/react-router'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Form } from '@/components/form'
import { Notice } from '@/components/notice'
import { TextField } from '@/components/text-field'
import { NewPasswordField } from '@/features/password/components/new-password-field'
import { usePasswordCheck } from '@/features/password/lib/use-password-check'
import { fields } from '@/lib/fields'
import { dropLinkToken, linkToken } from '@/lib/link-token'
import { texts } from '@/lib/texts'
import { useSubmit } from '@/lib/use-submit'
import { type SignUpInput, useSignUp } from '../api/sign-up'

const schema = z.object({ username: fields.username, email: fields.email, password: fields.password })
type Values = z.infer<typeof schema>

/** Name, address and password of a new account. */
export function SignUpForm() {
  const signUp = useSignUp()
  const navigate = useNavigate()
  const invite = linkToken('/sign-up')
  const checkPassword = usePasswordCheck()
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: { username: '', email: '', password: '' },
  })
  const { errors, isSubmitting } = form.formState
  const [username, email, password] = form.watch(['username', 'email', 'password'])
  const { onSubmit, problem } = useSubmit(form, async (values) => {
    const message = checkPassword(values.password, [values.username, values.email])
    if (message) return form.setError('password', { message }, { shouldFocus: true })
    const input: SignUpInput = { ...values, email: values.email.trim(), ...(invite ? { invite } : {}) }
    await signUp.mutateAsync(input)
    dropLinkToken()
    await navigate({ to: '/check-mail', state: { email: input.email } })
  })
  return (
    <Form onSubmit={onSubmit} problem={problem} isSubmitting={isSubmitting} submit={texts.signUp.submit}>
      {invite && <Notice tone="note">{texts.signUp.invited}</Notice>}
      <TextField
        kind="username"
        label={texts.field.username}
        description={texts.field.usernameHint}
        registration={form.register('username')}
        error={errors.username?.message}
      />
      <TextField
        kind="email"
        label={texts.field.email}
        registration={form.register('email')}
        error={errors.email?.message}
      />
      <NewPasswordField
        label={texts.field.password}
        registration={form.register('password')}
        error={errors.password?.message}
        value={password}
        personal={[username, email]}
      />
    </Form>
  )
}
