import { MantineProvider } from '@mantine/core'
import { act, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SearchField } from './search-field'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const onChange = vi.fn()
const field = (search: string) => (
  <MantineProvider env="test">
    <SearchField label="Search" clear="Clear" search={search} onChange={onChange} />
  </MantineProvider>
)
const type = (value: string) => fireEvent.change(screen.getByLabelText('Search'), { target: { value } })
const pause = () => act(() => vi.advanceTimersByTimeAsync(300))

test('what was typed since the search went out stays when it comes back', async () => {
  const { rerender } = render(field(''))
  type('ab')
  await pause()
  expect(onChange).toHaveBeenLastCalledWith('ab')
  type('ab c')
  rerender(field('ab'))
  expect(screen.getByLabelText('Search')).toHaveValue('ab c')
  await pause()
  expect(onChange).toHaveBeenLastCalledWith('ab c')
})

test('a search from outside is shown, and again after one goes back and forth', async () => {
  const { rerender } = render(field(''))
  type('ab')
  await pause()
  for (const search of ['ab', '', 'ab']) {
    rerender(field(search))
    expect(screen.getByLabelText('Search')).toHaveValue(search)
  }
})
