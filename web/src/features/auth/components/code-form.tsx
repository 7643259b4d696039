import { zodResolver } from '@hookform/resolvers/zod'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Form } from '@/components/form'
import { TextField } from '@/components/text-field'
import { digitsOf, fields } from '@/lib/fields'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSubmit } from '@/lib/use-submit'
import { useVerifyEmail } from '../api/verify-email'

const schema = z.object({ email: fields.email, code: fields.code })
const WORDS = { token_not_valid: texts.problem.deadCode }
type Values = z.infer<typeof schema>

interface Props {
  /** The address, when it need not be asked for. */
  knownEmail: string | undefined
  /** Hears the address as it is typed. */
  onEmail: (email: string) => void
}

/** The code of the mail, with the address where it is not known. */
export function CodeForm({ knownEmail, onEmail }: Props) {
  const verify = useVerifyEmail()
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: { email: knownEmail ?? '', code: '' },
  })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(
    form,
    async ({ email, code }) => {
      await verify.mutateAsync({ email: email.trim(), code: digitsOf(code) })
      toast(texts.verify.done)
    },
    WORDS,
  )
  return (
    <Form onSubmit={onSubmit} problem={problem} isSubmitting={isSubmitting} submit={texts.checkMail.submit}>
      {!knownEmail && (
        <TextField
          kind="email"
          label={texts.field.email}
          registration={form.register('email', { onChange: (event) => onEmail(event.target.value) })}
          error={errors.email?.message}
        />
      )}
      <TextField
        kind="code"
        label={texts.field.code}
        description={texts.field.codeHint}
        registration={form.register('code')}
        error={errors.code?.message}
      />
    </Form>
  )
}
