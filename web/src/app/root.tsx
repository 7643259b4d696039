import { Outlet } from '@tanstack/react-router'
import { ConnectionBanner } from '@/components/connection-banner'
import { Toaster } from '@/components/toaster'
import { texts } from '@/lib/texts'

/** What surrounds every page. */
export function Root() {
  return (
    <>
      <a className="skip-link" href="#content">
        {texts.skip}
      </a>
      <ConnectionBanner />
      <Outlet />
      <Toaster />
    </>
  )
}
