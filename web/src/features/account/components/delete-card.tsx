import { zodResolver } from '@hookform/resolvers/zod'
import { useMemo } from 'react'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Card } from '@/components/card'
import { Form } from '@/components/form'
import { Loadable } from '@/components/loadable'
import { PasswordField } from '@/components/password-field'
import { TextField } from '@/components/text-field'
import { farewell } from '@/lib/farewell'
import { fields } from '@/lib/fields'
import { deletionGrace } from '@/lib/site'
import { texts } from '@/lib/texts'
import { formatDay } from '@/lib/time'
import { useSubmit } from '@/lib/use-submit'
import { useDeleteMe } from '../api/data'
import { useMe } from '../api/me'

/** Closing the account: what happens, when, how to undo it, and the form. */
export function DeleteCard() {
  const me = useMe()
  return (
    <Card
      title={texts.data.delete}
      lead={texts.data.deleteLead(formatDay(Date.now() + deletionGrace))}
      tone="danger"
    >
      <Loadable query={me} height={200}>
        {({ username }) => <DeleteForm username={username} />}
      </Loadable>
    </Card>
  )
}

function DeleteForm({ username }: { username: string }) {
  const deleteMe = useDeleteMe()
  const schema = useMemo(() => schemaFor(username), [username])
  const form = useForm<z.infer<typeof schema>>({
    resolver: zodResolver(schema),
    defaultValues: { password: '', confirmation: '' },
  })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(form, async ({ password }) => {
    // Before the call: the session ends with the answer, and the pages close with the session.
    farewell.set({ username })
    try {
      const { deletes_at } = await deleteMe.mutateAsync(password)
      farewell.set({ username, deletesAt: deletes_at })
    } catch (error) {
      farewell.set(undefined)
      throw error
    }
  })
  return (
    <Form
      onSubmit={onSubmit}
      problem={problem}
      isSubmitting={isSubmitting}
      submit={texts.data.deleteSubmit}
      tone="danger"
      width="own"
      className="narrow"
    >
      <PasswordField
        label={texts.field.password}
        registration={form.register('password')}
        error={errors.password?.message}
        autoComplete="current-password"
      />
      <TextField
        kind="confirmation"
        label={texts.data.confirm(username)}
        registration={form.register('confirmation')}
        error={errors.confirmation?.message}
      />
    </Form>
  )
}

function schemaFor(username: string) {
  const confirmation = z
    .string()
    .check(z.refine((typed) => typed === username, texts.data.confirmRule(username)))
  return z.object({ password: fields.password, confirmation })
}
