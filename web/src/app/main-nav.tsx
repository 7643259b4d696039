import {
  IconAdjustments,
  IconBooks,
  IconHome,
  IconSparkles,
  IconUser,
  IconUserCircle,
} from '@tabler/icons-react'
import { Link, useLocation } from '@tanstack/react-router'
import links from '@/app/nav-links.module.css'
import { texts } from '@/lib/texts'
import styles from './main-nav.module.css'
import { RoomsLink } from './rooms-link'

/** The parts of the site: beside the name, on a phone at the bottom within reach of the thumb. */
export function MainNav({ username }: { username: string | undefined }) {
  const here = useLocation({ select: ({ pathname }) => pathname })
  const current = (...areas: string[]) =>
    areas.some((area) => here === area || here.startsWith(`${area}/`)) ? 'page' : undefined
  return (
    <nav aria-label={texts.nav.main} className={`${links.links} ${styles.nav}`}>
      <ul>
        <li>
          <Link to="/home" aria-current={current('/home')}>
            <IconHome size={20} stroke={1.75} aria-hidden />
            {texts.nav.home}
          </Link>
        </li>
        <li>
          <Link to="/books" aria-current={current('/books')}>
            <IconBooks size={20} stroke={1.75} aria-hidden />
            {texts.nav.books}
          </Link>
        </li>
        <li>
          <Link to="/search" aria-current={current('/search')}>
            <IconSparkles size={20} stroke={1.75} aria-hidden />
            {texts.nav.search}
          </Link>
        </li>
        {username && (
          <>
            <RoomsLink current={current('/rooms')} />
            <li>
              <Link
                to="/people/$username"
                params={{ username }}
                aria-current={current(`/people/${username}`)}
              >
                <IconUser size={20} stroke={1.75} aria-hidden />
                {texts.nav.person}
              </Link>
            </li>
            <li>
              <Link to="/settings/profile" aria-current={current('/settings', '/follow-requests')}>
                <IconAdjustments size={20} stroke={1.75} aria-hidden />
                {texts.nav.settings}
              </Link>
            </li>
            <li>
              <Link to="/account" aria-current={current('/account')}>
                <IconUserCircle size={20} stroke={1.75} aria-hidden />
                {texts.nav.account}
              </Link>
            </li>
          </>
        )}
      </ul>
    </nav>
  )
}
