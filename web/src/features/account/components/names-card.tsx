import { zodResolver } from '@hookform/resolvers/zod'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Card } from '@/components/card'
import { Form } from '@/components/form'
import { Loadable } from '@/components/loadable'
import { TextField } from '@/components/text-field'
import { fields } from '@/lib/fields'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSubmit } from '@/lib/use-submit'
import { useMe, useUpdateMe } from '../api/me'

const schema = z.object({ first_name: fields.name, last_name: fields.name })
type Values = z.infer<typeof schema>

/** First and last name, which may be empty. */
export function NamesCard() {
  const me = useMe()
  return (
    <Card title={texts.profile.names} lead={texts.profile.namesLead}>
      <Loadable query={me} height={130}>
        {({ first_name, last_name }) => <NamesForm names={{ first_name, last_name }} />}
      </Loadable>
    </Card>
  )
}

function NamesForm({ names }: { names: Values }) {
  const update = useUpdateMe()
  const form = useForm<Values>({ resolver: zodResolver(schema), defaultValues: names })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(form, async (values) => {
    await update.mutateAsync(values)
    form.reset(values)
    toast(texts.profile.saved)
  })
  return (
    <Form
      onSubmit={onSubmit}
      problem={problem}
      isSubmitting={isSubmitting}
      submit={texts.profile.save}
      width="own"
    >
      <div className="two-columns">
        <TextField
          kind="given-name"
          label={texts.field.firstName}
          registration={form.register('first_name')}
          error={errors.first_name?.message}
        />
        <TextField
          kind="family-name"
          label={texts.field.lastName}
          registration={form.register('last_name')}
          error={errors.last_name?.message}
        />
      </div>
    </Form>
  )
}
