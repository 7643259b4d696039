import { zodResolver } from '@hookform/resolvers/zod'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Form } from '@/components/form'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink, TextLink } from '@/components/text-link'
import { NewPasswordField } from '@/features/password/components/new-password-field'
import { usePasswordCheck } from '@/features/password/lib/use-password-check'
import { fields } from '@/lib/fields'
import { dropLinkToken, linkToken } from '@/lib/link-token'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSubmit } from '@/lib/use-submit'
import { useConfirmPasswordReset } from '../api/password-reset'
import { Aside } from '../components/aside'
import { MissingToken } from '../components/missing-token'

const schema = z.object({ password: fields.password })
const WORDS = { token_not_valid: texts.problem.deadLink }
type Values = z.infer<typeof schema>

/** Where the link of a forgotten password leads. */
export function ResetPasswordPage() {
  const [token] = useState(() => linkToken('/reset-password'))
  if (!token) {
    return (
      <MissingToken lead={texts.reset.missing}>
        <ButtonLink to="/forgot-password" size="md" fullWidth>
          {texts.reset.again}
        </ButtonLink>
      </MissingToken>
    )
  }
  return (
    <>
      <PageHeading title={texts.reset.title} lead={texts.reset.lead} />
      <ResetForm token={token} />
      <Aside>
        <TextLink to="/forgot-password">{texts.reset.again}</TextLink>
      </Aside>
    </>
  )
}

function ResetForm({ token }: { token: string }) {
  const confirm = useConfirmPasswordReset()
  const navigate = useNavigate()
  const checkPassword = usePasswordCheck()
  const form = useForm<Values>({ resolver: zodResolver(schema), defaultValues: { password: '' } })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(
    form,
    async ({ password }) => {
      const message = checkPassword(password, [])
      if (message) return form.setError('password', { message }, { shouldFocus: true })
      await confirm.mutateAsync({ token, password })
      dropLinkToken()
      toast(texts.reset.done)
      await navigate({ to: '/sign-in', replace: true })
    },
    WORDS,
  )
  return (
    <Form onSubmit={onSubmit} problem={problem} isSubmitting={isSubmitting} submit={texts.reset.submit}>
      <NewPasswordField
        label={texts.field.newPassword}
        registration={form.register('password')}
        error={errors.password?.message}
        value={form.watch('password')}
        personal={[]}
      />
    </Form>
  )
}
