import { PageHeading } from '@/components/page-heading'
import { texts } from '@/lib/texts'

/** When the page of a mailed link was opened without its token, or loaded again. */
export function MissingToken({ lead, children }: { lead: string; children: React.ReactNode }) {
  return (
    <>
      <PageHeading title={texts.verify.missingTitle} lead={lead} />
      {children}
    </>
  )
}
