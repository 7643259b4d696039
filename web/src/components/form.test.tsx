import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { ApiError, NetworkError } from 'portcullis-client'
import { useForm } from 'react-hook-form'
import { expect, test, vi } from 'vitest'
import { texts } from '@/lib/texts'
import { useSubmit } from '@/lib/use-submit'
import { renderInApp } from '@/testing/render'
import { Form } from './form'
import { TextField } from './text-field'

const refusal = { status: 400, code: 'invalid', detail: 'Bad.', details: [], fields: {} }

function Example({ action }: { action: () => Promise<unknown> }) {
  const form = useForm({ defaultValues: { username: '' } })
  const { onSubmit, problem } = useSubmit(form, action)
  return (
    <Form onSubmit={onSubmit} problem={problem} isSubmitting={form.formState.isSubmitting} submit="Go">
      <TextField
        kind="username"
        label="Username"
        registration={form.register('username')}
        error={form.formState.errors.username?.message}
      />
    </Form>
  )
}

async function submit(error: unknown) {
  renderInApp(<Example action={vi.fn().mockRejectedValue(error)} />)
  await userEvent.click(screen.getByRole('button', { name: 'Go' }))
}

test('an error of a field is read with the field, which takes the focus', async () => {
  await submit(new ApiError({ ...refusal, fields: { username: ['Taken.'] } }))
  const field = screen.getByLabelText('Username')
  expect(field).toHaveFocus()
  expect(field).toHaveAccessibleDescription('Taken.')
  expect(field).toBeInvalid()
})

test('any other error takes the focus', async () => {
  await submit(new ApiError(refusal))
  expect(screen.getByRole('alert')).toHaveFocus()
  expect(screen.getByRole('alert')).toHaveTextContent('Bad.')
})

test('a lost connection keeps what was typed', async () => {
  await submit(new NetworkError('lost'))
  expect(screen.getByRole('alert')).toHaveTextContent(texts.problem.network)
})

test('a limit counts down and holds the button back', async () => {
  await submit(new ApiError({ ...refusal, status: 429, retryAfter: 90 }))
  expect(screen.getByRole('alert')).toHaveTextContent(/1:(30|29)/)
  expect(screen.getByRole('button', { name: 'Go' })).toBeDisabled()
})
