import { zodResolver } from '@hookform/resolvers/zod'
import { Textarea } from '@mantine/core'
import { useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { Card } from '@/components/card'
import { Form } from '@/components/form'
import { Loadable } from '@/components/loadable'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSubmit } from '@/lib/use-submit'
import { useOwnProfile, useUpdateProfile } from '../api/own-profile'
import styles from './bio-card.module.css'

const MAX = 500
const lengthOf = (text: string) => [...text].length
const schema = z.object({
  bio: z.string().check(z.refine((bio) => lengthOf(bio) <= MAX, texts.publicProfile.bioRule)),
})

/** A few words about oneself. */
export function BioCard() {
  const profile = useOwnProfile()
  return (
    <Card title={texts.publicProfile.about}>
      <Loadable query={profile} height={210}>
        {({ bio }) => <BioForm bio={bio} />}
      </Loadable>
    </Card>
  )
}

function BioForm({ bio }: { bio: string }) {
  const update = useUpdateProfile()
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { bio } })
  const { errors, isSubmitting } = form.formState
  const left = MAX - lengthOf(form.watch('bio'))
  const { onSubmit, problem } = useSubmit(form, async (values) => {
    const saved = await update.mutateAsync(values)
    form.reset({ bio: saved.bio })
    toast(texts.publicProfile.saved)
  })
  return (
    <Form
      onSubmit={onSubmit}
      problem={problem}
      isSubmitting={isSubmitting}
      submit={texts.publicProfile.save}
      width="own"
    >
      <div>
        <Textarea
          {...form.register('bio')}
          label={texts.publicProfile.bio}
          description={texts.publicProfile.bioHint}
          error={errors.bio?.message}
          rows={5}
        />
        <p className={styles.counter} data-over={left < 0} aria-live={left < 50 ? 'polite' : 'off'}>
          {left < 0 ? texts.publicProfile.bioOver(-left) : texts.publicProfile.bioLeft(left)}
        </p>
      </div>
    </Form>
  )
}
