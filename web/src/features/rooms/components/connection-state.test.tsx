import { fireEvent, screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { texts } from '@/lib/texts'
import { renderInApp } from '@/testing/render'
import { ConnectionState } from './connection-state'

test.each(['forbidden', 'flooding'] as const)('closed as %s, it can be connected again', (reason) => {
  const onReconnect = vi.fn()
  renderInApp(<ConnectionState state={{ status: 'closed', reason }} onReconnect={onReconnect} />)
  fireEvent.click(screen.getByRole('button', { name: texts.chat.again }))
  expect(onReconnect).toHaveBeenCalledOnce()
})

test('signed out, there is no button that would do nothing', () => {
  renderInApp(<ConnectionState state={{ status: 'closed', reason: 'signed-out' }} onReconnect={vi.fn()} />)
  expect(screen.getByText(texts.chat.closed)).toBeVisible()
  expect(screen.queryByRole('button')).toBeNull()
})
