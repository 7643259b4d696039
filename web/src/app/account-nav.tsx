import {
  IconBell,
  IconDatabase,
  IconDevices,
  IconKey,
  IconMail,
  IconUser,
  IconUserCheck,
  IconUserOff,
  IconUserSquare,
} from '@tabler/icons-react'
import { Link, useLocation } from '@tanstack/react-router'
import links from '@/app/nav-links.module.css'
import { texts } from '@/lib/texts'
import styles from './account-nav.module.css'

const { account, nav } = texts

const ACCOUNT = [
  { to: '/account', label: account.profile, Icon: IconUser },
  { to: '/account/email', label: account.email, Icon: IconMail },
  { to: '/account/password', label: account.password, Icon: IconKey },
  { to: '/account/sessions', label: account.sessions, Icon: IconDevices },
  { to: '/account/data', label: account.data, short: account.dataShort, Icon: IconDatabase },
] as const

const SETTINGS = [
  { to: '/settings/profile', label: nav.publicProfile, short: nav.publicProfileShort, Icon: IconUserSquare },
  { to: '/settings/notifications', label: nav.notifications, short: nav.notificationsShort, Icon: IconBell },
  { to: '/follow-requests', label: nav.requests, short: nav.requestsShort, Icon: IconUserCheck },
  { to: '/settings/blocked', label: nav.blocked, short: nav.blockedShort, Icon: IconUserOff },
] as const

/** The pages of the account, or of the community's settings: a list at the side, a row on a phone. */
export function AccountNav() {
  const isAccount = useLocation({ select: ({ pathname }) => pathname.startsWith('/account') })
  const pages = isAccount ? ACCOUNT : SETTINGS
  return (
    <nav aria-label={isAccount ? account.nav : nav.settings} className={`${links.links} ${styles.nav}`}>
      <ul data-count={pages.length}>
        {pages.map(({ to, label, Icon, ...page }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: true }}>
              <Icon size={20} stroke={1.75} aria-hidden />
              <span className={styles.label}>{label}</span>
              <span className={styles.short} aria-hidden>
                {'short' in page ? page.short : label}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
