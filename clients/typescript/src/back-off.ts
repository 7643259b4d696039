const SHORTEST = 500
const LONGEST = 30_000

/**
 * Milliseconds before an attempt, counted from 1: 0.5 s, doubling to 30 s. Up to half of it is left to chance, so
 * that those who lost the same server do not all come back at once.
 */
export function backOff(attempt: number, random: number): number {
  const pause = Math.min(LONGEST, SHORTEST * 2 ** (attempt - 1))
  return Math.round(pause * (1 - random / 2))
}
