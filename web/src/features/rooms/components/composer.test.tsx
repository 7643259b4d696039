import { fireEvent, screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { texts } from '@/lib/texts'
import { renderInApp } from '@/testing/render'
import { Composer } from './composer'

function write() {
  const onSend = vi.fn()
  renderInApp(<Composer onSend={onSend} />)
  const field = screen.getByLabelText(texts.chat.write)
  fireEvent.change(field, { target: { value: 'hello' } })
  return { onSend, field }
}

test('Enter sends', () => {
  const { onSend, field } = write()
  expect(fireEvent.keyDown(field, { key: 'Enter', keyCode: 13 })).toBe(false)
  expect(onSend).toHaveBeenCalledExactlyOnceWith('hello')
  expect(field).toHaveValue('')
})

test('Enter that begins a line or ends the choice of a character does not', () => {
  const { onSend, field } = write()
  for (const event of [{ shiftKey: true }, { isComposing: true }, { keyCode: 229 }]) {
    expect(fireEvent.keyDown(field, { key: 'Enter', keyCode: 13, ...event })).toBe(true)
  }
  expect(onSend).not.toHaveBeenCalled()
})

test('Enter that is held down neither sends again nor begins lines', () => {
  const { onSend, field } = write()
  expect(fireEvent.keyDown(field, { key: 'Enter', keyCode: 13, repeat: true })).toBe(false)
  expect(onSend).not.toHaveBeenCalled()
})
