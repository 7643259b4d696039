import { createRoute } from '@tanstack/react-router'
import * as z from 'zod/mini'
import { ORDERINGS } from '@/features/books/api/orderings'
import { ensureSession } from '@/lib/session'
import { hasCommunity } from '@/lib/site'
import { lazyPage } from './lazy-page'
import { member, requireSession, root } from './root-route'

/** Pages that visitors may see, too: what is on them depends on who is asking. */
export const community = createRoute({
  getParentRoute: () => root,
  id: 'community',
  beforeLoad: () => ensureSession(),
  component: lazyPage(() => import('./community-layout'), 'CommunityLayout'),
})

const home = createRoute({
  getParentRoute: () => community,
  path: '/home',
  component: lazyPage(() => import('@/features/feed/routes/home'), 'HomePage'),
})

const booksSearch = z.object({
  search: z.catch(z.optional(z.string()), undefined),
  ordering: z.catch(z.optional(z.enum(ORDERINGS)), undefined),
})

const books = createRoute({
  getParentRoute: () => community,
  path: '/books',
  validateSearch: booksSearch,
  component: lazyPage(() => import('@/features/books/routes/books'), 'BooksPage'),
})

const book = createRoute({
  getParentRoute: () => community,
  path: '/books/$id',
  component: lazyPage(() => import('@/features/books/routes/book'), 'BookPage'),
})

const search = createRoute({
  getParentRoute: () => community,
  path: '/search',
  component: lazyPage(() => import('@/features/search/routes/search'), 'SearchPage'),
})

const person = createRoute({
  getParentRoute: () => community,
  path: '/people/$username',
  component: lazyPage(() => import('@/features/people/routes/person'), 'PersonPage'),
})

/** Pages in the community's look that need a session. */
const writing = createRoute({
  getParentRoute: () => community,
  id: 'writing',
  beforeLoad: requireSession,
})

const reviewEditor = createRoute({
  getParentRoute: () => writing,
  path: '/books/$id/review',
  component: lazyPage(() => import('@/features/reviews/routes/review-editor'), 'ReviewEditorPage'),
})

const newBook = createRoute({
  getParentRoute: () => writing,
  path: '/books/new',
  component: lazyPage(() => import('@/features/books/routes/new-book'), 'NewBookPage'),
})

const editBook = createRoute({
  getParentRoute: () => writing,
  path: '/books/$id/edit',
  component: lazyPage(() => import('@/features/books/routes/edit-book'), 'EditBookPage'),
})

const roomsSearch = z.object({ search: z.catch(z.optional(z.string()), undefined) })

const rooms = createRoute({
  getParentRoute: () => writing,
  path: '/rooms',
  validateSearch: roomsSearch,
  component: lazyPage(() => import('@/features/rooms/routes/rooms'), 'RoomsPage'),
})

const room = createRoute({
  getParentRoute: () => writing,
  path: '/rooms/$id',
  component: lazyPage(() => import('@/features/rooms/routes/room'), 'RoomPage'),
})

export const communityPages = ifEnabled([
  home,
  books,
  book,
  search,
  person,
  writing.addChildren([reviewEditor, newBook, editBook, rooms, room]),
] as const)

const publicProfile = createRoute({
  getParentRoute: () => member,
  path: '/settings/profile',
  component: lazyPage(() => import('@/features/settings/routes/public-profile'), 'PublicProfilePage'),
})

const notifications = createRoute({
  getParentRoute: () => member,
  path: '/settings/notifications',
  component: lazyPage(() => import('@/features/settings/routes/notifications'), 'NotificationsPage'),
})

const blocked = createRoute({
  getParentRoute: () => member,
  path: '/settings/blocked',
  component: lazyPage(() => import('@/features/settings/routes/blocked'), 'BlockedPage'),
})

const followRequests = createRoute({
  getParentRoute: () => member,
  path: '/follow-requests',
  component: lazyPage(() => import('@/features/settings/routes/follow-requests'), 'FollowRequestsPage'),
})

export const settingsPages = ifEnabled([publicProfile, notifications, blocked, followRequests] as const)

/** On an account server alone these addresses lead nowhere. */
function ifEnabled<Pages>(pages: Pages): Pages {
  return hasCommunity ? pages : ([] as Pages)
}
