import { zodResolver } from '@hookform/resolvers/zod'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Card } from '@/components/card'
import { Facts } from '@/components/facts'
import { Form } from '@/components/form'
import { Loadable } from '@/components/loadable'
import { Notice } from '@/components/notice'
import { PasswordField } from '@/components/password-field'
import { TextField } from '@/components/text-field'
import { fields } from '@/lib/fields'
import { texts } from '@/lib/texts'
import { useSubmit } from '@/lib/use-submit'
import { useRequestEmailChange } from '../api/email-change'
import { useMe } from '../api/me'

const schema = z.object({ email: fields.email, password: fields.password })
type Values = z.infer<typeof schema>

/** The address as it is, and a form for another. */
export function EmailChangeCard() {
  const me = useMe()
  const [sentTo, setSentTo] = useState<string>()
  return (
    <>
      <Card title={texts.email.now}>
        <Loadable query={me} height={24}>
          {(user) => (
            <Facts>
              <dt>{texts.field.email}</dt>
              <dd className="breakable">{user.email}</dd>
            </Facts>
          )}
        </Loadable>
      </Card>
      <Card title={texts.email.change} lead={texts.email.changeLead}>
        {sentTo && (
          <div className="above-form">
            <Notice tone="good" title={texts.email.sentTitle}>
              {texts.email.sent(sentTo)}
            </Notice>
          </div>
        )}
        <EmailChangeForm current={me.data?.email} onSent={setSentTo} />
      </Card>
    </>
  )
}

function EmailChangeForm({ current, onSent }: { current?: string; onSent: (email: string) => void }) {
  const request = useRequestEmailChange()
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: { email: '', password: '' },
  })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(form, async ({ email, password }) => {
    const address = email.trim()
    if (address.toLowerCase() === current) return form.setError('email', { message: texts.email.same })
    await request.mutateAsync({ email: address, password })
    form.reset()
    onSent(address)
  })
  return (
    <Form
      onSubmit={onSubmit}
      problem={problem}
      isSubmitting={isSubmitting}
      submit={texts.email.submit}
      width="own"
      className="narrow"
    >
      <TextField
        kind="email"
        label={texts.field.newEmail}
        registration={form.register('email')}
        error={errors.email?.message}
      />
      <PasswordField
        label={texts.field.password}
        registration={form.register('password')}
        error={errors.password?.message}
        autoComplete="current-password"
      />
    </Form>
  )
}
