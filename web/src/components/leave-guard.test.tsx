import { MantineProvider } from '@mantine/core'
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  RouterProvider,
} from '@tanstack/react-router'
import { act, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { Store, useStore } from '@/lib/store'
import { LeaveGuard } from './leave-guard'

const words = { title: 'Leave?', lead: 'It is lost.', leave: 'Leave', stay: 'Stay' }

/** A page with something on it, and another one; `left` is how much there is to lose. */
async function open(left: Store<number>) {
  const root = createRootRoute({ component: Outlet })
  const Page = () => {
    const count = useStore(left)
    return <LeaveGuard isDirty={count > 0} isSaved={count === 0} words={words} />
  }
  const pages = [
    createRoute({ getParentRoute: () => root, path: '/', component: Page }),
    createRoute({ getParentRoute: () => root, path: '/other', component: () => <p>other</p> }),
  ]
  const router = createRouter({
    routeTree: root.addChildren(pages),
    history: createMemoryHistory({ initialEntries: ['/'] }),
  })
  render(
    <MantineProvider env="test">
      <RouterProvider router={router as never} />
    </MantineProvider>,
  )
  await act(() => router.load())
  const go = () => act(async () => void router.history.push('/other'))
  return { router, go }
}

test('nothing to lose, nothing to ask', async () => {
  const { go } = await open(new Store(0))
  await go()
  expect(await screen.findByText('other')).toBeVisible()
})

test('whoever stays is asked again, whoever leaves goes', async () => {
  const { go, router } = await open(new Store(1))
  await go()
  await userEvent.click(await screen.findByRole('button', { name: 'Stay' }))
  expect(router.state.location.pathname).toBe('/')
  await go()
  await userEvent.click(await screen.findByRole('button', { name: 'Leave' }))
  expect(await screen.findByText('other')).toBeVisible()
})

test('whoever is being asked goes on when nothing would be lost any more', async () => {
  const left = new Store(1)
  const { go } = await open(left)
  await go()
  await screen.findByText('It is lost.')
  act(() => left.set(0))
  expect(await screen.findByText('other')).toBeVisible()
})
