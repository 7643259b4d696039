import { act, fireEvent, screen } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { texts } from '@/lib/texts'
import { renderInApp } from '@/testing/render'
import { RoomView } from './room-view'

vi.mock('@tanstack/react-router', () => ({ Link: () => null }))
vi.mock('./conversation-pane', () => ({
  ConversationPane: ({ isCovered }: { isCovered: boolean }) => <p>{isCovered ? 'covered' : 'in sight'}</p>,
}))
vi.mock('./members-panel', () => ({ MembersPanel: () => <p>members</p> }))

/** A screen whose width changes. */
class FakeScreen extends EventTarget {
  matches = false

  become(isWide: boolean): void {
    this.matches = isWide
    this.dispatchEvent(Object.assign(new Event('change'), { matches: isWide }))
  }
}
let width: FakeScreen

beforeEach(() => {
  width = new FakeScreen()
  vi.spyOn(window, 'matchMedia').mockReturnValue(width as unknown as MediaQueryList)
})

const room = { id: 7, name: 'Dragons', is_public: true, owner: 'ada', member: true }
const show = () => renderInApp(<RoomView room={room} onGone={vi.fn()} />)
const press = () => fireEvent.click(screen.getByRole('button', { name: texts.room.members }))

test('on a narrow screen the open members cover what is said', () => {
  show()
  expect(screen.queryByText('members')).toBeNull()
  press()
  expect(screen.getByText('members')).toBeVisible()
  expect(screen.getByText('covered')).toBeVisible()
  act(() => width.become(true))
  expect(screen.getByText('in sight')).toBeVisible()
})

test('the members that a wide screen shows by itself cover nothing when it gets narrow', () => {
  width.matches = true
  show()
  expect(screen.getByText('members')).toBeVisible()
  act(() => width.become(false))
  expect(screen.queryByText('members')).toBeNull()
  expect(screen.getByText('in sight')).toBeVisible()
})
