import { zodResolver } from '@hookform/resolvers/zod'
import { TextInput } from '@mantine/core'
import { Controller, useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Form } from '@/components/form'
import { SwitchField } from '@/components/switch-field'
import type { Room } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { useSubmit } from '@/lib/use-submit'
import { useSaveRoom } from '../api/rooms'

const t = texts.roomForm
const schema = z.object({
  name: z.string().check(z.regex(/^\s*\S[\s\S]{0,99}\s*$/u, t.nameRule)),
  is_public: z.boolean(),
})

interface Props {
  /** Without one it becomes a new one. */
  room?: Room
  onSaved: (room: Room) => void
}

/** Name and access of a room. */
export function RoomForm({ room, onSaved }: Props) {
  const save = useSaveRoom(room?.id)
  const form = useForm<z.infer<typeof schema>>({
    resolver: zodResolver(schema),
    defaultValues: { name: room?.name ?? '', is_public: room?.is_public ?? true },
  })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(form, async ({ name, is_public }) =>
    onSaved(await save.mutateAsync({ name: name.trim(), is_public })),
  )
  return (
    <Form
      onSubmit={onSubmit}
      problem={problem}
      isSubmitting={isSubmitting}
      submit={room ? t.save : t.create}
      width="own"
    >
      <TextInput {...form.register('name')} label={t.name} error={errors.name?.message} autoComplete="off" />
      <Controller
        control={form.control}
        name="is_public"
        render={({ field }) => (
          <SwitchField
            label={t.isPublic}
            hint={t.isPublicHint}
            checked={field.value}
            onChange={field.onChange}
          />
        )}
      />
    </Form>
  )
}
