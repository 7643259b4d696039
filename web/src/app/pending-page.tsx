import { Loader, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import { texts } from '@/lib/texts'
import styles from './centre.module.css'

const PATIENCE = 2500

/** While a page or the answer to "who is signed in" is on its way. */
export function PendingPage() {
  const [isLong, setIsLong] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setIsLong(true), PATIENCE)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div className={styles.centre} role="status">
      <Loader aria-hidden />
      {isLong ? (
        <Text c="dimmed">{texts.loadingLong}</Text>
      ) : (
        <span className="visually-hidden">{texts.loading}</span>
      )}
    </div>
  )
}
