import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import { texts } from '@/lib/texts'
import { StandAlone } from './stand-alone'

/** For addresses that lead nowhere. */
export function NotFoundPage() {
  return (
    <StandAlone>
      <PageHeading title={texts.notFound.title} lead={texts.notFound.lead} />
      <ButtonLink to="/">{texts.notFound.home}</ButtonLink>
    </StandAlone>
  )
}
