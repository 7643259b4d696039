import { expect, test } from 'vitest'
import { judgeStrength } from './judge-strength'

test('a password of the list is common and weak', () => {
  expect(judgeStrength('password1', [])).toMatchObject({ isCommon: true, score: 0 })
})

test('a long one of several words is strong and not common', () => {
  expect(judgeStrength('Lattice-gate-47-iron', [])).toEqual({ isCommon: false, score: 4 })
})

test('what the visitor has typed elsewhere makes it weaker', () => {
  const alone = judgeStrength('zorblatt_quux', []).score
  expect(judgeStrength('zorblatt_quux', ['zorblatt_quux']).score).toBeLessThan(alone)
})
