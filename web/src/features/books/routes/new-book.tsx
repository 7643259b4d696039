import { Card } from '@/components/card'
import { PageHeading } from '@/components/page-heading'
import { texts } from '@/lib/texts'
import { BookForm } from '../components/book-form'
import { StaffOnly } from '../components/staff-only'

/** Adding a book. */
export function NewBookPage() {
  return (
    <StaffOnly>
      <PageHeading title={texts.bookForm.addTitle} />
      <Card title={texts.bookForm.about}>
        <BookForm />
      </Card>
    </StaffOnly>
  )
}
