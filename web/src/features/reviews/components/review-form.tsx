import { zodResolver } from '@hookform/resolvers/zod'
import { TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useForm } from 'react-hook-form'
import { Form } from '@/components/form'
import { LeaveGuard } from '@/components/leave-guard'
import { StarField } from '@/components/star-field'
import { SwitchField } from '@/components/switch-field'
import type { Review } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSubmit } from '@/lib/use-submit'
import { useSaveReview } from '../api/reviews'
import { type ReviewValues, reviewSchema, toInput, toValues } from '../lib/review-values'
import { TextEditorField } from './text-editor-field'

/** Rating, title, text, and who may see it. */
export function ReviewForm({ book, review }: { book: number; review: Review | null }) {
  const save = useSaveReview(review?.id)
  const navigate = useNavigate()
  const form = useForm<ReviewValues>({ resolver: zodResolver(reviewSchema), defaultValues: toValues(review) })
  const { errors, isSubmitting, isDirty } = form.formState
  const values = form.watch()
  const { onSubmit, problem } = useSubmit(form, async (typed) => {
    const saved = await save.mutateAsync(toInput(book, typed))
    toast(saved.is_public ? texts.review.saved : texts.review.savedHidden)
    await navigate({ to: '/books/$id', params: { id: String(book) }, ignoreBlocker: true })
  })
  const change = (patch: Partial<ReviewValues>) => {
    for (const [name, value] of Object.entries(patch)) {
      form.setValue(name as keyof ReviewValues, value, {
        shouldDirty: true,
        shouldValidate: form.formState.isSubmitted,
      })
    }
  }
  return (
    <>
      <Form
        onSubmit={onSubmit}
        problem={problem}
        isSubmitting={isSubmitting}
        submit={texts.editor.save}
        width="own"
      >
        <StarField
          registration={form.register('rating')}
          value={Number(values.rating)}
          error={errors.rating?.message}
        />
        <TextInput
          {...form.register('title')}
          label={texts.editor.title}
          error={errors.title?.message}
          autoComplete="off"
        />
        <TextEditorField
          initial={review?.review_text ?? ''}
          onChange={(review_text) => change({ review_text })}
          error={errors.review_text?.message}
        />
        <SwitchField
          label={texts.editor.isPublic}
          hint={texts.editor.isPublicHint}
          checked={values.is_public}
          onChange={(is_public) => change({ is_public })}
        />
      </Form>
      <LeaveGuard isDirty={isDirty && !isSubmitting} words={texts.editor.leaving} />
    </>
  )
}
