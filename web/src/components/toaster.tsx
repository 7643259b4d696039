import { CloseButton } from '@mantine/core'
import { IconCircleCheck } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useStore } from '@/lib/store'
import { texts } from '@/lib/texts'
import { dismiss, TOAST_TIME, type Toast, toasts } from '@/lib/toasts'
import styles from './toaster.module.css'

/** Where toasts appear; screen readers hear them without losing their place. */
export function Toaster() {
  const shown = useStore(toasts)
  const [held, setHeld] = useState(false)
  return (
    <section
      aria-label={texts.toast.region}
      aria-live="polite"
      className={styles.toaster}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      {shown.map((toast) => (
        <ToastCard key={toast.id} toast={toast} held={held} />
      ))}
    </section>
  )
}

function ToastCard({ toast, held }: { toast: Toast; held: boolean }) {
  useEffect(() => {
    if (held) return
    const timer = setTimeout(() => dismiss(toast.id), TOAST_TIME)
    return () => clearTimeout(timer)
  }, [toast.id, held])
  return (
    <div className={styles.toast}>
      <IconCircleCheck size={20} aria-hidden />
      <p>{toast.text}</p>
      <CloseButton aria-label={texts.toast.close} size="sm" onClick={() => dismiss(toast.id)} />
    </div>
  )
}
