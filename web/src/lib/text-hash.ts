/** A number below `size` that is always the same for a text (FNV-1a): for colours that belong to it. */
export function hashOf(text: string, size: number): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  // The low bits of FNV follow the last character: mix the high ones in.
  hash ^= hash >>> 15
  return ((Math.imul(hash, 0x2c1b3c6d) >>> 0) % 4093) % size
}
