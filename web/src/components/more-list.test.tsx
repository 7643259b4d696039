import { MantineProvider } from '@mantine/core'
import { fireEvent, render, screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { texts } from '@/lib/texts'
import type { List } from '@/lib/use-list'
import { MoreList } from './more-list'

const fetchNextPage = vi.fn()

function listOf(count: number) {
  const results = Array.from({ length: count }, (_, index) => `row ${index + 1}`)
  const list = { data: { pages: [{ results }] }, isError: false, hasNextPage: true, fetchNextPage }
  return (
    <MantineProvider env="test">
      <MoreList list={list as unknown as List<string>} keyOf={(row) => row} empty={null} height={1}>
        {(row) => row}
      </MoreList>
    </MantineProvider>
  )
}

test('a list that grows by itself leaves the focus where it is', () => {
  const { rerender } = render(listOf(2))
  rerender(listOf(3))
  expect(document.body).toHaveFocus()
})

test('after the button the focus goes on with the first new row, once', async () => {
  fetchNextPage.mockResolvedValue({ isError: false })
  const { rerender } = render(listOf(2))
  fireEvent.click(screen.getByRole('button', { name: texts.more }))
  rerender(listOf(4))
  expect(screen.getByText('row 3')).toHaveFocus()
  screen.getByText('row 3').blur()
  rerender(listOf(5))
  expect(document.body).toHaveFocus()
})
