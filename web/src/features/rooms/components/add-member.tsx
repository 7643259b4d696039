import { TextInput } from '@mantine/core'
import { useForm } from 'react-hook-form'
import { Form } from '@/components/form'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSubmit } from '@/lib/use-submit'
import { useAddMember } from '../api/members'
import styles from './add-member.module.css'

const t = texts.room

/** Adds somebody by their name. */
export function AddMember({ room }: { room: number }) {
  const add = useAddMember(room)
  const form = useForm({ defaultValues: { username: '' } })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(form, async ({ username }) => {
    const member = await add.mutateAsync(username.trim())
    form.reset()
    toast(t.added(member.username))
  })
  return (
    <Form
      onSubmit={onSubmit}
      problem={problem}
      isSubmitting={isSubmitting}
      submit={t.addSubmit}
      width="own"
      className={styles.add}
    >
      <TextInput
        {...form.register('username', { required: texts.required })}
        label={t.addLabel}
        error={errors.username?.message}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
    </Form>
  )
}
