import { zodResolver } from '@hookform/resolvers/zod'
import { Button, Stack } from '@mantine/core'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Form } from '@/components/form'
import { PageHeading } from '@/components/page-heading'
import { TextField } from '@/components/text-field'
import { ButtonLink, TextLink } from '@/components/text-link'
import { fields } from '@/lib/fields'
import { texts } from '@/lib/texts'
import { useSubmit } from '@/lib/use-submit'
import { useRequestPasswordReset } from '../api/password-reset'
import { Aside } from '../components/aside'
import { MailboxButton } from '../components/mailbox-button'

const schema = z.object({ email: fields.email })
type Values = z.infer<typeof schema>

/** Asks for a link to choose a new password; the answer is the same for every address. */
export function ForgotPasswordPage() {
  const [sentTo, setSentTo] = useState<string>()
  return sentTo === undefined ? (
    <Ask key="ask" onSent={setSentTo} />
  ) : (
    <Sent key="sent" email={sentTo} onAgain={() => setSentTo(undefined)} />
  )
}

function Ask({ onSent }: { onSent: (email: string) => void }) {
  const request = useRequestPasswordReset()
  const form = useForm<Values>({ resolver: zodResolver(schema), defaultValues: { email: '' } })
  const { onSubmit, problem } = useSubmit(form, async ({ email }) => {
    await request.mutateAsync(email.trim())
    onSent(email.trim())
  })
  const { errors, isSubmitting } = form.formState
  return (
    <>
      <PageHeading title={texts.forgot.title} lead={texts.forgot.lead} />
      <Form onSubmit={onSubmit} problem={problem} isSubmitting={isSubmitting} submit={texts.forgot.submit}>
        <TextField
          kind="email"
          label={texts.field.email}
          registration={form.register('email')}
          error={errors.email?.message}
        />
      </Form>
      <Aside>
        <TextLink to="/sign-in">{texts.forgot.back}</TextLink>
      </Aside>
    </>
  )
}

function Sent({ email, onAgain }: { email: string; onAgain: () => void }) {
  return (
    <>
      <PageHeading title={texts.forgot.sentTitle} lead={texts.forgot.sent(email)} takesFocus />
      <Stack gap="sm">
        <MailboxButton />
        <ButtonLink to="/sign-in" variant="default" fullWidth>
          {texts.forgot.back}
        </ButtonLink>
        <Button variant="subtle" fullWidth onClick={onAgain}>
          {texts.forgot.again}
        </Button>
      </Stack>
    </>
  )
}
