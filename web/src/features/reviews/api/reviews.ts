import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { client } from '@/lib/client'
import type { Review, ReviewInput } from '@/lib/community-types'
import { type Page, withParameters } from '@/lib/page'
import { useList } from '@/lib/use-list'

const PATH = '/api/reviews/'
/** What is shown beside a review, and would be a call for each otherwise. */
const include = 'book_title,avatar_url'

/** Reviews that the visitor may see, the newest first: all of them, a book's or a person's. */
export function useReviews(filter: { book?: number; user?: string } = {}) {
  return useList<Review>(['reviews'], withParameters(PATH, { ordering: '-created_at', include, ...filter }))
}

/** The review that somebody has written on a book; null while there is none. */
export function useOwnReview(book: number, user: string | undefined) {
  return useQuery({
    queryKey: ['reviews', 'own', book, user],
    enabled: user !== undefined,
    queryFn: async () => {
      const path = withParameters(PATH, { book, user, page_size: 1, include })
      const page = await client.request<Page<Review>>('GET', path)
      return page.results[0] ?? null
    },
  })
}

/** Stores a review and brings it as the server has stored it. */
export function useSaveReview(id: number | undefined) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (input: ReviewInput) =>
      id === undefined
        ? client.request<Review>('POST', PATH, input)
        : client.request<Review>('PATCH', `${PATH}${id}/`, input),
    onSuccess: (review) => {
      queries.setQueryData(['reviews', 'own', review.book, review.user], review)
      return followChange(queries, review.book)
    },
  })
}

/** Removes a review: one's own, or any as staff. */
export function useDeleteReview() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (review: Review) => client.request<void>('DELETE', `${PATH}${review.id}/`),
    onSuccess: (_, { book, user }) => {
      queries.setQueryData(['reviews', 'own', book, user], null)
      return followChange(queries, book)
    },
  })
}

/** Averages and counts have changed with it. */
function followChange(queries: QueryClient, book: number): Promise<unknown> {
  return Promise.all([
    queries.invalidateQueries({ queryKey: ['reviews'] }),
    queries.invalidateQueries({ queryKey: ['book', book] }),
    queries.invalidateQueries({ queryKey: ['books'] }),
  ])
}
