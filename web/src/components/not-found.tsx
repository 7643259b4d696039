import type { ReactNode } from 'react'
import { texts } from '@/lib/texts'
import { PageHeading } from './page-heading'
import { ButtonLink } from './text-link'

/** Nothing here, or nothing for these eyes: both look the same. */
export function NotFound({ children }: { children?: ReactNode }) {
  return (
    <>
      <PageHeading title={texts.notFound.title} lead={texts.notFound.lead} />
      {children}
      <ButtonLink to="/">{texts.notFound.home}</ButtonLink>
    </>
  )
}
