import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const XML_NAMESPACE = /^https?:\/\/www\.w3\.org\//
const ADDRESS = /(?:https?|wss?):\/\/[^\s"'`)\\<>]+|(?<=["'`(=]\s*)\/\/[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b[^\s"'`)]*/gi
const TEXT = /\.(?:html|js|css|svg|json|webmanifest|txt|map)$/
// Vue puts a link to its manual into the text of production errors; nothing requests it, but no address stays.
const VUE_MANUAL = /https:\/\/vuejs\.org\/error-reference\/#runtime-/g

/** Drop every font source that would be fetched from another host (Vant's icon font names one as a fallback). */
export function dropRemoteFonts(): Plugin {
  return {
    name: 'drop-remote-fonts',
    enforce: 'pre',
    transform(code, id) {
      if (!/\.css($|\?)/.test(id) || !code.includes('@font-face')) return null
      return { code: code.replace(/,\s*url\(["']?(?:https?:)?\/\/[^)]*\)(?:\s*format\([^)]*\))?/g, ''), map: null }
    },
  }
}

/** List the addresses of other hosts in a text that would be served. */
export function externalAddresses(text: string): string[] {
  return [...text.matchAll(ADDRESS)].map(([address]) => address).filter((address) => !XML_NAMESPACE.test(address))
}

/** Fail the build if an address of another host is left anywhere in what would be served. */
export function noExternalAddress(): Plugin {
  return {
    name: 'no-external-address',
    enforce: 'post',
    renderChunk: (code) => ({ code: code.replace(VUE_MANUAL, 'vue-runtime-'), map: null }),
    writeBundle({ dir }) {
      if (!dir) this.error('the build has no folder to look through')
      const found = readdirSync(dir, { recursive: true, encoding: 'utf8' })
        .filter((name) => TEXT.test(name))
        .flatMap((name) => externalAddresses(readFileSync(join(dir, name), 'utf8')).map((address) => `${name}: ${address}`))
      if (found.length) this.error(`external addresses in the build:\n${found.join('\n')}`)
    },
  }
}
