import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { client } from '@/lib/client'
import type { Book, BookInput } from '@/lib/community-types'
import { withParameters } from '@/lib/page'
import { useList } from '@/lib/use-list'
import type { BookOrdering } from './orderings'

/** Books by title or author, in an order. */
export function useBooks({ search, ordering }: { search?: string; ordering?: BookOrdering }) {
  return useList<Book>(['books'], withParameters('/api/books/', { search, ordering }), {
    keepsPrevious: true,
  })
}

/** One book. */
export function useBook(id: number) {
  return useQuery({
    queryKey: ['book', id],
    queryFn: () => client.request<Book>('GET', `/api/books/${id}/`),
  })
}

/** Adds a book, or changes the one called `id`; staff only. */
export function useSaveBook(id?: number) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (input: BookInput) =>
      id === undefined
        ? client.request<Book>('POST', '/api/books/', input)
        : client.request<Book>('PATCH', `/api/books/${id}/`, input),
    onSuccess: (book) => {
      queries.setQueryData(['book', book.id], book)
      return queries.invalidateQueries({ queryKey: ['books'] })
    },
  })
}

/** Removes a book with its reviews; staff only. */
export function useDeleteBook(id: number) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => client.request<void>('DELETE', `/api/books/${id}/`),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['books'] })
      void queries.invalidateQueries({ queryKey: ['reviews'] })
    },
  })
}
