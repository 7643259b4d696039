import { PageHeading } from '@/components/page-heading'
import { texts } from '@/lib/texts'
import { DeleteCard } from '../components/delete-card'
import { ExportCard } from '../components/export-card'

/** Taking one's data along, or away. */
export function DataPage() {
  return (
    <>
      <PageHeading title={texts.data.title} lead={texts.data.lead} />
      <ExportCard />
      <DeleteCard />
    </>
  )
}
