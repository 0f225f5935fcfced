import assert from 'node:assert/strict'
import { test } from 'node:test'
import { monthAfter, weeksOf } from '../src/composables/month.ts'
import { resendWait } from '../src/composables/countdown.ts'

test('months follow each other across the year', () => {
  assert.equal(monthAfter('2026-12', 1), '2027-01')
  assert.equal(monthAfter('2027-01', -1), '2026-12')
})

test('weeks begin on Monday and hold each day once', () => {
  const november = weeksOf('2026-11')
  assert.deepEqual(november[0], [null, null, null, null, null, null, '2026-11-01'])
  assert.equal(november.flat().filter(Boolean).length, 30)
  assert.deepEqual(weeksOf('2027-02').flat().filter((day) => day === null), [])
})

test('the wait for another code is the server’s; a time that cannot be right falls back to the usual minute', () => {
  const resendAt = '2026-11-01T00:00:45Z'
  assert.equal(resendWait(resendAt, Date.parse('2026-11-01T00:00:00Z')), 45)
  assert.equal(resendWait(resendAt, Date.parse('2026-11-01T00:05:00Z')), 0)
  assert.equal(resendWait(resendAt, Date.parse('2026-11-09T00:00:00Z')), 60)
  assert.equal(resendWait(resendAt, Date.parse('2026-10-01T00:00:00Z')), 60)
})
