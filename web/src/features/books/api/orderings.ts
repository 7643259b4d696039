/** The orders that the list of books knows. */
export const ORDERINGS = ['title', 'author', '-year', '-review_count', '-created_at'] as const
export type BookOrdering = (typeof ORDERINGS)[number]
