import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import * as common from '@zxcvbn-ts/language-common'
import * as english from '@zxcvbn-ts/language-en'

/** How hard a password is to guess, from 0 to 4, and whether it is on the list of common ones. */
export interface Strength {
  score: 0 | 1 | 2 | 3 | 4
  isCommon: boolean
}

/** Longer passwords are judged by their beginning: the time grows with the length. */
const MAX_JUDGED = 64

const zxcvbn = new ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english.dictionary },
  graphs: common.adjacencyGraphs,
})

/** Judges a password in this browser; it is sent nowhere. */
export function judgeStrength(password: string, personal: readonly string[]): Strength {
  const judged = password.slice(0, MAX_JUDGED)
  const result = zxcvbn.check(
    judged,
    personal.filter((value) => value !== ''),
  )
  const isCommon = result.sequence.some(
    (match) =>
      match.pattern === 'dictionary' &&
      match.dictionaryName.startsWith('passwords') &&
      match.token.length === password.length &&
      !match.l33t &&
      !match.reversed,
  )
  return { score: result.score, isCommon }
}
