import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import type { LenderKey } from '../api/types.ts'

export const SUITE = { kem: 0x0020, kdf: 0x0001, aead: 0x0001 } as const
const TOKEN_MEMBER_BYTES = 8

/** The browser's own X25519 where it has one, otherwise the same library's in JavaScript, which is fetched only then. */
async function kem(native: boolean): Promise<DhkemX25519HkdfSha256> {
  if (native) return new DhkemX25519HkdfSha256()
  const portable = await import('@hpke/dhkem-x25519')
  return new portable.DhkemX25519HkdfSha256() as unknown as DhkemX25519HkdfSha256
}

/** Say whether the browser has X25519 of its own; they have since 2023 (Safari), 2024 (Firefox) and 2025 (Chrome). */
export async function nativeX25519(): Promise<boolean> {
  try {
    await crypto.subtle.generateKey('X25519', false, ['deriveBits'])
    return true
  } catch {
    return false
  }
}

export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(raw, (character) => character.charCodeAt(0))
}

function toBase64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** What a sealing is bound to: product and version of the fields, the key, and the session by its token's hash. */
export async function binding(key: LenderKey, token: string): Promise<Uint8Array<ArrayBuffer>> {
  const secret = fromBase64Url(token).slice(TOKEN_MEMBER_BYTES)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', secret))
  const words = new TextEncoder().encode(`grainline/environment/${key.version}\0${key.key_id}\0`)
  return Uint8Array.from([...words, ...hash])
}

/**
 * Seal a text to the lender's key, for one session, with HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256, AES-128-GCM. Returns encapsulated key and ciphertext, one after the other, in base64url.
 */
export async function seal(text: string, key: LenderKey, token: string, native?: boolean): Promise<string> {
  const { kem: wanted, kdf, aead } = key.suite
  if (wanted !== SUITE.kem || kdf !== SUITE.kdf || aead !== SUITE.aead) throw new Error('another suite than this page has')
  const suite = new CipherSuite({
    kem: await kem(native ?? (await nativeX25519())),
    kdf: new HkdfSha256(),
    aead: new Aes128Gcm(),
  })
  const recipientPublicKey = await suite.kem.deserializePublicKey(fromBase64Url(key.public_key))
  const info = await binding(key, token)
  const { enc, ct } = await suite.seal({ recipientPublicKey, info }, new TextEncoder().encode(text))
  return toBase64Url(Uint8Array.from([...new Uint8Array(enc), ...new Uint8Array(ct)]))
}
