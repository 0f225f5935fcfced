import assert from 'node:assert/strict'
import { test } from 'node:test'
import { externalAddresses } from '../build/no-external-address.ts'

test('addresses of other hosts are found however they are written', () => {
  for (const text of [
    '@import "https://fonts.example.com/a.css"', 'src:url(//at.example.com/t/c/font.woff?t=1)', 'fetch("//cdn.example.com/x.js")',
    '<script src=//cdn.example.com/x.js>', 'new WebSocket("wss://live.example.com")', '<img src="HTTP://example.com/a.png">',
  ]) assert.equal(externalAddresses(text).length, 1, text)
})

test('namespaces, data and paths of our own are no such addresses', () => {
  for (const text of ['xmlns="http://www.w3.org/2000/svg"', 'url(data:font/woff2;base64,d09//GMgAB)', '"/api/v1/meta"', 'a // comment', '"//"']) {
    assert.deepEqual(externalAddresses(text), [], text)
  }
})
