import { screen, waitFor } from '@testing-library/react'
import { ApiError } from 'portcullis-client'
import { expect, test, vi } from 'vitest'
import { client } from '@/lib/client'
import { texts } from '@/lib/texts'
import { renderInApp } from '@/testing/render'
import { FoundBooks } from './found-books'

function fail(status: number) {
  const error = new ApiError({ status, code: 'error', detail: 'Bad.', details: [], fields: {} })
  vi.spyOn(client, 'request').mockRejectedValue(error)
  renderInApp(<FoundBooks results={[{ book: 7, score: 1, reason: 'It fits.' }]} />)
}

test('a book that was deleted meanwhile is left out', async () => {
  fail(404)
  await waitFor(() => expect(screen.queryByRole('listitem')).toBeNull())
})

test('a book that cannot be read now can be asked for again', async () => {
  fail(500)
  expect(await screen.findByRole('alert')).toBeVisible()
  expect(screen.getByRole('button', { name: texts.problem.retry })).toBeVisible()
})
