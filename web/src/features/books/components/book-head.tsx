import { Text } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import type { Book } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { BookCover } from './book-cover'
import styles from './book-head.module.css'
import { RatingLine } from './rating-line'

/** Cover, title, author, figures and what the book is about. */
export function BookHead({ book }: { book: Book }) {
  const isStaff = useUser()?.is_staff
  return (
    <div className={styles.head}>
      <BookCover title={book.title} author={book.author} size="large" />
      <div className={styles.words}>
        <PageHeading title={book.title} lead={texts.book.by(book.author, book.year)} />
        <RatingLine book={book} size={20} />
        {book.description && <Text className={styles.description}>{book.description}</Text>}
        {book.isbn && (
          <Text size="sm" c="dimmed">
            {texts.book.isbn(book.isbn)}
          </Text>
        )}
        {isStaff && (
          <ButtonLink
            to="/books/$id/edit"
            params={{ id: String(book.id) }}
            variant="default"
            size="xs"
            leftSection={<IconPencil size={16} aria-hidden />}
          >
            {texts.book.edit}
          </ButtonLink>
        )}
      </div>
    </div>
  )
}
