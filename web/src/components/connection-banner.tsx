import { IconWifiOff } from '@tabler/icons-react'
import { useOnline } from '@/lib/online'
import { texts } from '@/lib/texts'
import styles from './connection-banner.module.css'

/** Says that there is no network, for as long as there is none. */
export function ConnectionBanner() {
  const online = useOnline()
  return (
    <div role="status">
      {!online && (
        <p className={styles.banner}>
          <IconWifiOff size={18} aria-hidden />
          {texts.connection.banner}
        </p>
      )}
    </div>
  )
}
