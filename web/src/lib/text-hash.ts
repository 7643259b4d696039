/** A number below `size` that is always the same for a text: for colours that belong to it. */
export function hashOf(text: string, size: number): number {
  let hash = 7
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003
  return hash % size
}
