/** Decodes text that comes in pieces: what is left of a character waits for the next piece. */
import { find, utf8 } from './buffer/_encodings.js'

const GROUPS = { base64: 3, base64url: 3, utf16le: 2 } // bytes that belong together

export class StringDecoder {
  #kind
  #utf8
  #held = new Uint8Array(0)

  /** @param {string} [encoding] as a Buffer knows it */
  constructor (encoding) {
    this.#kind = find(encoding)
    if (!this.#kind) {
      const error = new TypeError(`Unknown encoding: ${encoding}`)
      error.code = 'ERR_UNKNOWN_ENCODING'
      throw error
    }
    this.encoding = this.#kind.name
    this.#utf8 = this.#kind === utf8 ? decoder() : null
  }

  /** The text that is now complete. */
  write (bytes) {
    if (typeof bytes === 'string') return bytes
    const view = ArrayBuffer.isView(bytes)
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes)
    if (this.#utf8) return this.#utf8.decode(view, { stream: true })
    const all = joined(this.#held, view)
    const whole = this.#complete(all)
    this.#held = all.slice(whole)
    return this.#kind.decode(all.subarray(0, whole))
  }

  /** The last piece, and whatever waits. */
  end (bytes) {
    const text = bytes === undefined ? '' : this.write(bytes)
    const rest = this.#utf8 ? this.#utf8.decode() : this.#kind.decode(this.#held)
    this.#held = new Uint8Array(0)
    if (this.#utf8) this.#utf8 = decoder()
    return text + rest
  }

  #complete (bytes) {
    const whole = bytes.length - bytes.length % (GROUPS[this.encoding] ?? 1)
    const halfPair = this.encoding === 'utf16le' && whole > 0 && (bytes[whole - 1] & 0xfc) === 0xd8
    return halfPair ? whole - 2 : whole
  }
}

const decoder = () => new TextDecoder('utf-8', { ignoreBOM: true })

function joined (a, b) {
  if (a.length === 0) return b
  const all = new Uint8Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}

export default { StringDecoder }
