import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { texts } from '@/lib/texts'
import { Announcer } from './announcer'

function message(seq: number, user: string | null, text: string) {
  return { id: seq, seq, user, text, message: text, timestamp: '2026-11-24T10:00:00Z' }
}

test('what others say is read out, twice when it is said twice', () => {
  const announcer = (...messages: ReturnType<typeof message>[]) => (
    <Announcer isOpen messages={messages} username="ada" />
  )
  const history = message(1, 'bo', 'before')
  const { rerender } = render(announcer(history))
  const status = screen.getByRole('status')
  expect(status).toHaveTextContent('')
  rerender(announcer(history, message(2, 'bo', 'yes')))
  expect(status).toHaveTextContent('bo: yes')
  const { firstChild } = status
  rerender(announcer(history, message(2, 'bo', 'yes'), message(3, 'bo', 'yes')))
  expect(status).toHaveTextContent('bo: yes')
  // A screen reader hears of what is new in the page, not of what is set to what it was.
  expect(status.firstChild).not.toBe(firstChild)
})

test('somebody who is gone has words instead of a name', () => {
  const { rerender } = render(<Announcer isOpen messages={[]} username="ada" />)
  rerender(<Announcer isOpen messages={[message(1, null, 'bye')]} username="ada" />)
  expect(screen.getByRole('status')).toHaveTextContent(`${texts.rooms.gone}: bye`)
})
