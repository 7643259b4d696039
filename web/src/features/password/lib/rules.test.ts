import { describe, expect, test } from 'vitest'
import { texts } from '@/lib/texts'
import { isRefused, judge } from './rules'

const guide = { policy: 'guide', min_length: 8, max_length: 128, help: ['Be long.'] }
const nist = { policy: 'nist', min_length: 15, max_length: 128, help: ['Be longer.'] }

function met(policy: typeof guide, password: string, personal: string[] = [], isCommon?: boolean): string[] {
  const rules = judge(policy, password, { personal, isCommon })
  return rules.filter((rule) => rule.isMet).map((rule) => rule.text)
}

describe('the rules of the guide', () => {
  test('nothing is met by nothing', () => {
    expect(met(guide, '')).toEqual([])
  })

  test('each class is met by one character of it', () => {
    expect(met(guide, 'A')).toContain(texts.rules.upper)
    expect(met(guide, 'a')).toContain(texts.rules.lower)
    expect(met(guide, '٣')).toContain(texts.rules.number)
    expect(met(guide, ' ')).toContain(texts.rules.special)
    expect(met(guide, 'É')).not.toContain(texts.rules.upper)
    expect(met(guide, 'é')).not.toContain(texts.rules.special)
  })

  test('length counts characters, not code units', () => {
    expect(met(guide, '🏰'.repeat(7))).not.toContain(texts.rules.length(8, 128))
    expect(met(guide, '🏰'.repeat(8))).toContain(texts.rules.length(8, 128))
    expect(met(guide, 'x'.repeat(129))).not.toContain(texts.rules.length(8, 128))
  })

  test('whether it is common is open until the list is loaded', () => {
    const common = (isCommon?: boolean) =>
      judge(guide, 'x', { personal: [], isCommon }).find((rule) => rule.text === texts.rules.notCommon)?.isMet
    expect(common()).toBeUndefined()
    expect(common(true)).toBe(false)
    expect(common(false)).toBe(true)
  })

  test('a password that may pass is not refused before the server is asked', () => {
    expect(isRefused(guide, 'Lattice-47', ['ada'])).toBe(false)
    expect(isRefused(guide, 'lattice-47', ['ada'])).toBe(true)
    expect(isRefused(guide, 'Ada_lovelace1', ['ada_lovelace'])).toBe(true)
  })
})

test('the policy of NIST asks for length and no classes', () => {
  expect(met(nist, 'fifteen letters', [])).toEqual([texts.rules.length(15, 128), texts.rules.notSimilar])
})

test('a policy that is not known is shown in the words of the server, without ticks', () => {
  const rules = judge({ ...guide, policy: 'house' }, 'anything', { personal: [] })
  expect(rules).toEqual([{ text: 'Be long.' }])
  expect(isRefused({ ...guide, policy: 'house' }, '', [])).toBe(false)
})
