import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 as Portable } from '@hpke/dhkem-x25519'
import { environmentOf, type Browser } from '../src/environment/device.ts'
import { binding, fromBase64Url, seal, SUITE } from '../src/environment/seal.ts'
import { summarise, VERSION } from '../src/environment/summary.ts'
import { opened, usageOf, type Diary } from '../src/environment/usage.ts'

type Field = { part: 'environment' | 'usage'; name: string; values?: Record<string, unknown>; low?: number; high?: number }
const schema: { version: number; fields: Field[] } = JSON.parse(
  readFileSync(new URL('../../../src/grainline/guard/environment_fields.json', import.meta.url), 'utf8'),
)
const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const kems = { native: new DhkemX25519HkdfSha256(), portable: new Portable() as unknown as DhkemX25519HkdfSha256 }
const suiteOf = (kem: DhkemX25519HkdfSha256) => new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes128Gcm() })

// RFC 9180, A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0.
const RFC = {
  info: hex('4f6465206f6e2061204772656369616e2055726e'),
  ikmE: hex('7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234'),
  enc: hex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431'),
  ikmR: hex('6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037'),
  skRm: hex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'),
  pkRm: hex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d'),
  pt: hex('4265617574792069732074727574682c20747275746820626561757479'),
  aad: hex('436f756e742d30'),
  ct: hex('f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a'),
}

for (const [name, kem] of Object.entries(kems)) {
  test(`the library seals and opens as RFC 9180 says, with the ${name} X25519`, async () => {
    const suite = suiteOf(kem)
    const recipientPublicKey = await suite.kem.deserializePublicKey(RFC.pkRm)
    const ekm = await suite.kem.deriveKeyPair(RFC.ikmE)
    const sender = await suite.createSenderContext({ recipientPublicKey, info: RFC.info, ekm })
    assert.deepEqual(new Uint8Array(sender.enc), RFC.enc)
    assert.deepEqual(new Uint8Array(await sender.seal(RFC.pt, RFC.aad)), RFC.ct)
    const recipientKey = await suite.kem.deserializePrivateKey(RFC.skRm)
    const reader = await suite.createRecipientContext({ recipientKey, enc: RFC.enc, info: RFC.info })
    assert.deepEqual(new Uint8Array(await reader.open(RFC.ct, RFC.aad)), RFC.pt)
  })

  test(`what the page seals opens with the lender's key, in this session only, with the ${name} X25519`, async () => {
    const suite = suiteOf(kems.native)
    const pair = await suite.kem.generateKeyPair()
    const raw = Buffer.from(await suite.kem.serializePublicKey(pair.publicKey)).toString('base64url')
    const key = { key_id: '00'.repeat(8), public_key: raw, suite: SUITE, version: VERSION, now: '' }
    const [mine, other] = [1, 2].map((byte) => Buffer.alloc(40, byte).toString('base64url')) as [string, string]
    const sealed = fromBase64Url(await seal('{"a":"甲"}', key, mine, name === 'native'))
    const open = async (token: string) =>
      suite.open(
        { recipientKey: pair.privateKey, enc: sealed.slice(0, 32), info: await binding(key, token) },
        sealed.slice(32),
      )
    assert.equal(new TextDecoder().decode(await open(mine)), '{"a":"甲"}')
    await assert.rejects(open(other))
    const again = fromBase64Url(await seal('{"a":"甲"}', key, mine, name === 'native'))
    assert.notDeepEqual(again, sealed)
  })
}

test('a lender that wants another suite gets nothing', async () => {
  const key = { key_id: '00', public_key: '', suite: { ...SUITE, aead: 3 }, version: VERSION, now: '' }
  await assert.rejects(seal('{}', key, ''))
})

const BROWSER: Browser = {
  agent: 'Mozilla/5.0 (Linux; Android 14; V2250A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.54 Mobile Safari/537.36',
  languages: ['zh-CN', 'zh', 'en'], zone: 'Asia/Shanghai', side: 360, touchPoints: 5, webdriver: false, storage: true,
}
const NOON = Date.parse('2026-11-27T12:30:00+08:00')
const DAY = 86_400_000

test('a summary has exactly the fields of the list, each with a value it may have', () => {
  assert.equal(VERSION, schema.version)
  const agents = [BROWSER.agent, '', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Mobile/15E148 Safari/604.1', 'Chrome/99999']
  for (const agent of agents) {
    for (const far of [0, 3, 20, 400]) {
      const diary: Diary = { first: Math.floor(NOON / DAY) - far, opened: Array.from({ length: far }, () => ({ day: Math.floor(NOON / DAY), quarter: far % 4 })) }
      const browser = { ...BROWSER, agent, languages: Array.from({ length: far }, () => 'de'), side: far * 100, touchPoints: far }
      const stay = { seconds: far * 20, timesLeft: far }
      const summary = summarise({ browser, diary, stay, now: NOON }, 'sign', NOON, crypto.randomUUID())
      for (const part of ['environment', 'usage'] as const) {
        const values: Record<string, unknown> = summary[part]
        const fields = schema.fields.filter((field) => field.part === part)
        assert.deepEqual(Object.keys(values).sort(), fields.map(({ name }) => name).sort())
        for (const { name, values: allowed, low, high } of fields) {
          const value = values[name]
          if (allowed) assert.ok(String(value) in allowed, `${name}: ${String(value)}`)
          else if (high !== undefined) assert.ok(Number.isInteger(value) && Number(value) >= low! && Number(value) <= high, `${name}: ${String(value)}`)
          else assert.equal(typeof value, 'boolean', name)
        }
      }
    }
  }
})

test('a model, a build or a minor version does not show in the environment', () => {
  const told = JSON.stringify(environmentOf(BROWSER))
  for (const part of ['V2250A', '7390', '537', '360', 'Shanghai', 'CN']) assert.ok(!told.includes(part), `${part} in ${told}`)
  assert.equal(told, JSON.stringify(environmentOf({ ...BROWSER, agent: BROWSER.agent.replace('V2250A', 'M2102J2SC').replace('7390', '1'), side: 412 })))
})

test('apps and systems are told apart', () => {
  const of = (agent: string, more: Partial<Browser> = {}) => environmentOf({ ...BROWSER, agent, ...more })
  const wechat = of('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.50')
  assert.deepEqual([wechat.platform, wechat.browser, wechat.browser_major], ['ios', 'wechat', 8])
  const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15'
  assert.equal(of(mac, { touchPoints: 0, side: 900 }).platform, 'macos')
  assert.equal(of(mac, { touchPoints: 5, side: 820 }).platform, 'ios')
  const edge = of('Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/141.0.0.0 Safari/537.36 Edg/140.0.0.0', { touchPoints: 10, side: 1080 })
  assert.deepEqual([edge.platform, edge.browser, edge.browser_major, edge.screen], ['windows', 'edge', 140, 'large'])
  assert.equal(of('', { zone: 'Europe/Lisbon' }).zone, 'elsewhere')
  assert.equal(of('', { zone: 'Asia/Yangon' }).zone, 'asia')
})

test('the diary has days and quarters of them in Shanghai, and forgets after 30 days', () => {
  const night = Date.parse('2026-11-27T01:00:00+08:00')
  let diary = opened(null, night - 40 * DAY)
  for (let day = 40; day >= 0; day--) diary = opened(diary, night - day * DAY)
  assert.equal(diary.opened.length, 30)
  assert.ok(diary.opened.every((one) => one.quarter === 0 && Object.keys(one).length === 2))
  const told = usageOf(diary, { seconds: 9.9, timesLeft: 9 }, night)
  assert.deepEqual([told.known, told.sessions, told.pace, told.times_left], ['longer', 'many', 'under_10s', 5])
  assert.deepEqual([told.night, told.morning, told.afternoon, told.evening], [true, false, false, false])
  const fresh = usageOf(opened(null, NOON), { seconds: 61, timesLeft: 0 }, NOON)
  assert.deepEqual([fresh.known, fresh.sessions, fresh.pace, fresh.afternoon], ['today', 'one', 'under_5min', true])
})
