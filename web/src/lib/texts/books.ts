const books = (count: number) => (count === 1 ? '1 book' : `${many(count)} books`)

/** The words of the book pages. */
export const bookTexts = {
  books: {
    title: 'Books',
    lead: 'What has been read here, and what people think of it.',
    search: 'Search by title or author',
    clear: 'Clear the search',
    ordering: 'Order',
    orderings: {
      title: 'Title',
      author: 'Author',
      '-year': 'Year, newest first',
      '-review_count': 'Most reviewed',
      '-created_at': 'Newest here',
    },
    found: (count: number) => books(count),
    none: 'No books yet',
    noneLead: 'As soon as there are some they stand here.',
    notFound: (words: string) => `Nothing found for “${words}”`,
    notFoundLead: 'Try fewer words, or only the author’s last name.',
    add: 'Add a book',
  },
  book: {
    by: (author: string, year?: number | null) => (year == null ? `by ${author}` : `by ${author}, ${year}`),
    rating: (value: string) => `${value} of 5 stars`,
    noRating: 'No ratings yet',
    reviews: (count: number) => (count === 1 ? '1 review' : `${many(count)} reviews`),
    isbn: (isbn: string) => `ISBN ${isbn}`,
    others: 'Reviews',
    noReviews: {
      title: 'Nobody has reviewed this book yet',
      lead: 'Be the first to say what it is like.',
    },
    noOthers: { title: 'No other reviews yet', lead: 'Yours is the first.' },
    edit: 'Edit the book',
  },
  bookForm: {
    addTitle: 'Add a book',
    editTitle: 'Edit the book',
    about: 'The book',
    title: 'Title',
    author: 'Author',
    isbn: 'ISBN',
    isbnHint: '10 or 13 digits; may be empty.',
    year: 'Year',
    yearHint: 'When it first came out; may be empty.',
    yearRule: 'A year such as 1847.',
    description: 'Description',
    add: 'Add the book',
    save: 'Save',
    added: 'The book is added.',
    saved: 'The book is saved.',
    delete: 'Delete the book',
    deleteLead: 'The book and all its reviews go, for everybody and for good.',
    confirmTitle: 'Delete this book?',
    cancel: 'Cancel',
    deleted: 'The book is deleted.',
  },
} as const

function many(count: number): string {
  return count >= 10_000 ? '10,000 or more' : count.toLocaleString('en-GB')
}
