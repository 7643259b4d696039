import { IconBooks, IconPlus, IconSearchOff } from '@tabler/icons-react'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'
import { Empty } from '@/components/empty'
import { MoreList } from '@/components/more-list'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { useBooks } from '../api/books'
import type { BookOrdering } from '../api/orderings'
import { BookSearch } from '../components/book-search'
import { BookTile } from '../components/book-tile'
import styles from './books.module.css'

/** Every book, by title or author, in an order of one's choice. The address keeps both. */
export function BooksPage() {
  const { search = '', ordering = 'title' } = useSearch({ from: '/community/books' })
  const navigate = useNavigate({ from: '/books' })
  const books = useBooks({ search, ordering })
  const isStaff = useUser()?.is_staff
  const change = useCallback(
    (next: { search?: string; ordering?: BookOrdering }) =>
      void navigate({
        search: (before) => ({ ...before, ...next, ...(next.search === '' && { search: undefined }) }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  )
  return (
    <>
      <div className={styles.top}>
        <PageHeading title={texts.books.title} lead={texts.books.lead} />
        {isStaff && (
          <ButtonLink to="/books/new" leftSection={<IconPlus size={18} aria-hidden />}>
            {texts.books.add}
          </ButtonLink>
        )}
      </div>
      <BookSearch search={search} ordering={ordering} onChange={change} />
      <MoreList
        list={books}
        look="shelf"
        height={142}
        keyOf={({ id }) => id}
        heading={({ count }) => (
          <p role="status" className={styles.count}>
            {texts.books.found(count)}
          </p>
        )}
        empty={search ? <NothingFound search={search} /> : <NoBooks />}
      >
        {(book) => <BookTile book={book} />}
      </MoreList>
    </>
  )
}

function NothingFound({ search }: { search: string }) {
  return (
    <div role="status">
      <Empty Icon={IconSearchOff} title={texts.books.notFound(search)} lead={texts.books.notFoundLead} />
    </div>
  )
}

function NoBooks() {
  return <Empty Icon={IconBooks} title={texts.books.none} lead={texts.books.noneLead} />
}
