import { zodResolver } from '@hookform/resolvers/zod'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Form } from '@/components/form'
import { PasswordField } from '@/components/password-field'
import { FocusedAlert } from '@/components/problem-alert'
import { TextField } from '@/components/text-field'
import { TextLink } from '@/components/text-link'
import { farewell } from '@/lib/farewell'
import { fields } from '@/lib/fields'
import type { Problem } from '@/lib/problem'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSubmit } from '@/lib/use-submit'
import { useSignIn } from '../api/sign-in'

const schema = z.object({ username: fields.login, password: fields.password })
const WORDS = { no_active_account: texts.signIn.wrong }
type Values = z.infer<typeof schema>

/** Name and password. What follows is the page's affair: it watches the session. */
export function SignInForm() {
  const signIn = useSignIn()
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: { username: farewell.get()?.username ?? '', password: '' },
  })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(
    form,
    async (values) => {
      const user = await signIn.mutateAsync(values)
      if (user.deletion_undone) toast(texts.signIn.restored)
      farewell.set(undefined)
    },
    WORDS,
  )
  const isUnverified = problem?.code === 'email_not_verified'
  return (
    <>
      {isUnverified && <Unverified problem={problem} login={form.getValues('username')} />}
      <Form
        onSubmit={onSubmit}
        problem={isUnverified ? undefined : problem}
        isSubmitting={isSubmitting}
        submit={texts.signIn.submit}
      >
        <TextField
          kind="login"
          label={texts.field.login}
          registration={form.register('username')}
          error={errors.username?.message}
        />
        <PasswordField
          label={texts.field.password}
          registration={form.register('password')}
          error={errors.password?.message}
          autoComplete="current-password"
        />
        <TextLink to="/forgot-password" size="sm" className="at-end">
          {texts.signIn.forgot}
        </TextLink>
      </Form>
    </>
  )
}

function Unverified({ problem, login }: { problem: Problem; login: string }) {
  const email = login.includes('@') ? login.trim() : undefined
  return (
    <div className="above-form">
      <FocusedAlert on={problem} tone="wait" title={texts.signIn.unverifiedTitle}>
        <p>{texts.signIn.unverified}</p>
        <TextLink to="/check-mail" state={{ email }} size="sm">
          {texts.signIn.resend}
        </TextLink>
      </FocusedAlert>
    </div>
  )
}
