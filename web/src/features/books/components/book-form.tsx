import { zodResolver } from '@hookform/resolvers/zod'
import { Textarea, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useForm } from 'react-hook-form'
import { Form } from '@/components/form'
import type { Book } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSubmit } from '@/lib/use-submit'
import { useSaveBook } from '../api/books'
import { type BookValues, bookSchema, toInput, toValues } from '../lib/book-values'

const t = texts.bookForm

/** What is known of a book; without one it becomes a new one. */
export function BookForm({ book }: { book?: Book }) {
  const save = useSaveBook(book?.id)
  const navigate = useNavigate()
  const form = useForm<BookValues>({ resolver: zodResolver(bookSchema), defaultValues: toValues(book) })
  const { errors, isSubmitting } = form.formState
  const { onSubmit, problem } = useSubmit(form, async (values) => {
    const saved = await save.mutateAsync(toInput(values))
    toast(book ? t.saved : t.added)
    await navigate({ to: '/books/$id', params: { id: String(saved.id) } })
  })
  const field = (name: keyof BookValues) => ({
    ...form.register(name),
    label: t[name],
    error: errors[name]?.message,
    autoComplete: 'off',
  })
  return (
    <Form
      onSubmit={onSubmit}
      problem={problem}
      isSubmitting={isSubmitting}
      submit={book ? t.save : t.add}
      width="own"
    >
      <TextInput {...field('title')} />
      <TextInput {...field('author')} />
      <div className="two-columns">
        <TextInput {...field('isbn')} description={t.isbnHint} />
        <TextInput {...field('year')} description={t.yearHint} inputMode="numeric" />
      </div>
      <Textarea {...field('description')} rows={6} />
    </Form>
  )
}
