import { useDebouncedValue } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import type { Strength } from './judge-strength'

const PAUSE = 150

/** The strength of what is typed; undefined for nothing, and while the word lists load. */
export function useStrength(password: string, personal: readonly string[]): Strength | undefined {
  const [settled] = useDebouncedValue(password, PAUSE)
  const [judged, setJudged] = useState<Strength>()
  const words = personal.join('\n')
  useEffect(() => {
    if (settled === '') return
    let isCurrent = true
    const load = async () => {
      const { askStrength } = await import('./strength')
      const strength = await askStrength(settled, words.split('\n'))
      if (isCurrent) setJudged(strength)
    }
    // Without the lists the meter stays away; the server judges in any case.
    load().catch(() => undefined)
    return () => {
      isCurrent = false
    }
  }, [settled, words])
  return password === '' ? undefined : judged
}
