const MAX_SIMILARITY = 0.7

/** Whether a password is too like a name or an address, or a part of it, as Django computes it. */
export function isSimilar(password: string, value: string): boolean {
  const lower = value.trim().toLowerCase()
  if (lower === '') return false
  const parts = [...lower.split(/[^\p{Alphabetic}\p{N}_]/u), lower]
  return parts.some((part) => reachesThreshold(password.toLowerCase(), part))
}

function reachesThreshold(password: string, part: string): boolean {
  const [left, right] = [[...password], [...part]]
  const isTooShort = left.length >= 10 * right.length && right.length < (MAX_SIMILARITY / 2) * left.length
  return !isTooShort && quickRatio(left, right) >= MAX_SIMILARITY
}

/** Python's `SequenceMatcher.quick_ratio`: the characters in common, whatever their order. */
function quickRatio(left: readonly string[], right: readonly string[]): number {
  const total = left.length + right.length
  if (total === 0) return 1
  const available = new Map<string, number>()
  for (const character of right) available.set(character, (available.get(character) ?? 0) + 1)
  let matches = 0
  for (const character of left) {
    const count = available.get(character) ?? 0
    if (count > 0) matches += 1
    available.set(character, count - 1)
  }
  return (2 * matches) / total
}
