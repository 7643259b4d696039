import { useParams } from '@tanstack/react-router'
import { ApiError } from 'portcullis-client'
import { Card } from '@/components/card'
import { Loadable } from '@/components/loadable'
import { NotFound } from '@/components/not-found'
import { PageHeading } from '@/components/page-heading'
import { texts } from '@/lib/texts'
import { useBook } from '../api/books'
import { BookForm } from '../components/book-form'
import { DeleteBook } from '../components/delete-book'
import { StaffOnly } from '../components/staff-only'

/** Changing a book, or taking it away. */
export function EditBookPage() {
  const { id } = useParams({ from: '/community/writing/books/$id/edit' })
  const book = useBook(Number(id))
  if (book.error instanceof ApiError && book.error.status === 404) return <NotFound />
  return (
    <StaffOnly>
      <PageHeading title={texts.bookForm.editTitle} lead={book.data?.title} />
      <Card title={texts.bookForm.about}>
        <Loadable query={book} height={420}>
          {(found) => <BookForm book={found} />}
        </Loadable>
      </Card>
      {book.data && <DeleteBook id={book.data.id} />}
    </StaffOnly>
  )
}
