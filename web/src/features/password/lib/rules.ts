import type { PasswordPolicy } from 'portcullis-client'
import { texts } from '@/lib/texts'
import { isSimilar } from './similarity'

/** A rule for new passwords and how far the password is with it. */
export interface Rule {
  text: string
  /** Missing where only the server can tell. */
  isMet?: boolean
}

/** What is known beside the password. */
export interface Context {
  /** Username, address and names, as far as they are typed. */
  personal: readonly string[]
  /** Whether a list of common passwords has it; missing until the list is loaded. */
  isCommon?: boolean
}

/**
 * The policy's rules, judged as the server does.
 *
 * A policy that this page does not know is shown in the server's own sentences, without ticks.
 */
export function judge(policy: PasswordPolicy, password: string, context: Context): Rule[] {
  if (policy.policy !== 'guide' && policy.policy !== 'nist') return policy.help.map((text) => ({ text }))
  const length = [...password].length
  const has = (pattern: RegExp) => pattern.test(password)
  const { rules } = texts
  const classes = [
    { text: rules.upper, isMet: has(/[A-Z]/) },
    { text: rules.lower, isMet: has(/[a-z]/) },
    { text: rules.number, isMet: has(/\p{Nd}/u) },
    { text: rules.special, isMet: has(/[^\p{Alphabetic}\p{N}]/u) },
  ]
  const isTyped = length > 0
  return [
    {
      text: rules.length(policy.min_length, policy.max_length),
      isMet: length >= policy.min_length && length <= policy.max_length,
    },
    ...(policy.policy === 'guide' ? classes : []),
    {
      text: rules.notSimilar,
      isMet: isTyped && !context.personal.some((value) => isSimilar(password, value)),
    },
    {
      text: rules.notCommon,
      isMet: context.isCommon === undefined ? undefined : isTyped && !context.isCommon,
    },
  ]
}

/** Whether the server would surely refuse the password, so that one need not ask. */
export function isRefused(policy: PasswordPolicy, password: string, personal: readonly string[]): boolean {
  return judge(policy, password, { personal }).some((rule) => rule.isMet === false)
}
