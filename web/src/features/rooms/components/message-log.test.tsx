import { fireEvent, screen } from '@testing-library/react'
import type { RoomConversation } from 'portcullis-client/react'
import { createRef } from 'react'
import { beforeEach, expect, test, vi } from 'vitest'
import { client } from '@/lib/client'
import { texts } from '@/lib/texts'
import { renderInApp } from '@/testing/render'
import { MessageLog } from './message-log'

beforeEach(() => void vi.spyOn(client, 'request').mockResolvedValue({ results: [] }))

test.each([
  ['resend', texts.chat.resend],
  ['discard', texts.chat.discard],
] as const)('after %s, whose button goes away, the list has the focus', (action, name) => {
  const conversation = {
    state: { status: 'open' },
    messages: [],
    pending: [{ key: '1', text: 'hello', problem: 'Refused.' }],
    [action]: vi.fn(),
  } as unknown as RoomConversation
  const ref = createRef<HTMLElement>()
  const focus = () => ref.current?.focus()
  const scroll = { ref, focus, isAtEnd: true, onScroll: vi.fn(), toEnd: vi.fn() }
  renderInApp(
    <MessageLog conversation={conversation} room={7} username="ada" scroll={scroll} onOlder={vi.fn()} />,
  )
  fireEvent.click(screen.getByRole('button', { name }))
  expect(conversation[action]).toHaveBeenCalledExactlyOnceWith('1')
  expect(screen.getByRole('region', { name: texts.chat.log })).toHaveFocus()
})
