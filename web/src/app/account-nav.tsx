import { IconDatabase, IconDevices, IconKey, IconMail, IconUser } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { texts } from '@/lib/texts'
import styles from './account-nav.module.css'

const PAGES = [
  { to: '/account', label: texts.account.profile, Icon: IconUser },
  { to: '/account/email', label: texts.account.email, Icon: IconMail },
  { to: '/account/password', label: texts.account.password, Icon: IconKey },
  { to: '/account/sessions', label: texts.account.sessions, Icon: IconDevices },
  { to: '/account/data', label: texts.account.data, short: texts.account.dataShort, Icon: IconDatabase },
] as const

/** The account's pages: a list at the side, a row at the top of a phone. */
export function AccountNav() {
  return (
    <nav aria-label={texts.account.nav} className={styles.nav}>
      <ul>
        {PAGES.map(({ to, label, Icon, ...page }) => (
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
