import type { KeyboardEvent } from 'react'

/** What a key has while a character is chosen, in Safari at the end of the choice too. */
const CHOOSING = 229

/** Whether Enter was pressed, and not to end the choice of a character. */
export function isEnter({ key, keyCode, nativeEvent }: KeyboardEvent): boolean {
  return key === 'Enter' && !nativeEvent.isComposing && keyCode !== CHOOSING
}
