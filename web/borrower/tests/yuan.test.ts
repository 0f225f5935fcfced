import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fenFromYuan, plainYuan, yuan } from '../src/money/yuan.ts'

test('fen are shown as yuan to the last fen, with grouping', () => {
  assert.equal(yuan(0), '0.00')
  assert.equal(yuan(5), '0.05')
  assert.equal(yuan(99), '0.99')
  assert.equal(yuan(100), '1.00')
  assert.equal(yuan(123456789), '1,234,567.89')
  assert.equal(yuan(-150), '-1.50')
  assert.equal(yuan(9007199254740991), '90,071,992,547,409.91')
})

test('whole yuan may drop the fen, but never hide any', () => {
  assert.equal(yuan(4000000, 'if-any'), '40,000')
  assert.equal(yuan(4000001, 'if-any'), '40,000.01')
  assert.equal(plainYuan(1200000), '12000')
  assert.equal(plainYuan(1200050), '12000.50')
})

test('typed yuan are read exactly', () => {
  assert.equal(fenFromYuan('1'), 100)
  assert.equal(fenFromYuan('1.'), 100)
  assert.equal(fenFromYuan('0.1'), 10)
  assert.equal(fenFromYuan('0.29'), 29)
  assert.equal(fenFromYuan('1,234.56'), 123456)
  assert.equal(fenFromYuan(' 4 000 '), 400000)
})

test('what is not an amount of money is refused', () => {
  for (const typed of ['', '.', '.5', '-1', '1.234', '1e3', 'abc', '１２', '12345678901']) assert.equal(fenFromYuan(typed), null, typed)
})

test('every amount survives being shown and typed again', () => {
  for (let fen = 0; fen < 200_000; fen += 37) assert.equal(fenFromYuan(plainYuan(fen)), fen)
})
