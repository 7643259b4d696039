import { NotFound } from '@/components/not-found'
import { StandAlone } from './stand-alone'

/** For addresses that lead nowhere. */
export function NotFoundPage() {
  return (
    <StandAlone>
      <NotFound />
    </StandAlone>
  )
}
