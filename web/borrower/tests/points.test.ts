import assert from 'node:assert/strict'
import { test } from 'node:test'
import { percentOf, points } from '../src/money/points.ts'

test('points show at most two decimals, and none that say nothing', () => {
  const cases: [number, string][] = [[0, '0'], [5, '0.05'], [50, '0.5'], [100, '1'], [6525, '65.25'], [6500, '65'], [10000, '100'], [-125, '-1.25']]
  for (const [e2, text] of cases) assert.equal(points(e2), text)
})

test('a weight shows as a percentage', () => {
  const cases: [number, string][] = [[3000, '30'], [3571, '35.7'], [2857, '28.6'], [0, '0'], [10000, '100']]
  for (const [e4, text] of cases) assert.equal(percentOf(e4), text)
})
