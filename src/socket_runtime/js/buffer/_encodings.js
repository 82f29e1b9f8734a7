/**
 * Text to bytes and back, in the encodings of Node.js. Each entry has
 * `size(text)`: bytes that the text needs at most; `encode(text)`; `decode(bytes)`.
 */

const CHUNK = 8192 // arguments of one String.fromCharCode; more would overflow some engines' stack

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Text of which each character is one code below 65536. */
function fromCodes (codes) {
  if (codes.length <= CHUNK) return String.fromCharCode.apply(null, codes)
  let text = ''
  for (let at = 0; at < codes.length; at += CHUNK) {
    text += String.fromCharCode.apply(null, codes.subarray(at, at + CHUNK))
  }
  return text
}

function utf8Size (text) {
  let size = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) size += 1
    else if (code < 0x800) size += 2
    else if (code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      size += 4
      i++
    } else size += 3
  }
  return size
}

export const utf8 = {
  name: 'utf8',
  size: utf8Size,
  encode: (text) => encoder.encode(text),
  decode: (bytes) => decoder.decode(bytes)
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

export const utf16le = {
  name: 'utf16le',
  size: (text) => text.length * 2,
  encode (text) {
    const bytes = new Uint8Array(text.length * 2)
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      bytes[2 * i] = code
      bytes[2 * i + 1] = code >> 8
    }
    return bytes
  },
  decode (bytes) {
    const length = bytes.length >> 1
    if (littleEndian && bytes.byteOffset % 2 === 0) {
      return fromCodes(new Uint16Array(bytes.buffer, bytes.byteOffset, length))
    }
    const codes = new Uint16Array(length)
    for (let i = 0; i < length; i++) codes[i] = bytes[2 * i] | bytes[2 * i + 1] << 8
    return fromCodes(codes)
  }
}

export const latin1 = {
  name: 'latin1',
  size: (text) => text.length,
  encode (text) {
    const bytes = new Uint8Array(text.length)
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
    return bytes
  },
  decode: fromCodes
}

export const ascii = {
  ...latin1,
  name: 'ascii',
  decode: (bytes) => fromCodes(bytes.map((byte) => byte & 0x7f))
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hexDigit (code) {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

export const hex = {
  name: 'hex',
  size: (text) => text.length >>> 1,
  encode (text) {
    const bytes = new Uint8Array(text.length >>> 1)
    for (let i = 0; i < bytes.length; i++) {
      const high = hexDigit(text.charCodeAt(2 * i))
      const low = hexDigit(text.charCodeAt(2 * i + 1))
      if (high < 0 || low < 0) return bytes.subarray(0, i) // all up to the first wrong digit
      bytes[i] = high << 4 | low
    }
    return bytes
  },
  decode (bytes) {
    let text = ''
    for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i]]
    return text
  }
}

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const URL_SAFE = STANDARD.slice(0, 62) + '-_'
const SEXTETS = new Int8Array(128).fill(-1)
for (const alphabet of [STANDARD, URL_SAFE]) {
  for (let i = 0; i < 64; i++) SEXTETS[alphabet.charCodeAt(i)] = i
}

/** Takes both alphabets, skips what belongs to neither, and ends at the padding. */
function decodeBase64 (text) {
  const bytes = new Uint8Array(text.length * 3 >>> 2)
  let length = 0
  let bits = 0
  let held = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 61) break
    const sextet = code < 128 ? SEXTETS[code] : -1
    if (sextet < 0) continue
    bits = bits << 6 | sextet
    held += 6
    if (held >= 8) {
      held -= 8
      bytes[length++] = bits >> held
    }
  }
  return bytes.subarray(0, length)
}

function encodeBase64 (bytes, alphabet, padding) {
  const codes = new Uint8Array(Math.ceil(bytes.length / 3) * 4)
  let at = 0
  for (let i = 0; i < bytes.length; i += 3) {
    const group = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2]
    codes[at++] = alphabet.charCodeAt(group >> 18 & 63)
    codes[at++] = alphabet.charCodeAt(group >> 12 & 63)
    codes[at++] = alphabet.charCodeAt(group >> 6 & 63)
    codes[at++] = alphabet.charCodeAt(group & 63)
  }
  const missing = (3 - bytes.length % 3) % 3
  const text = fromCodes(codes.subarray(0, at - missing))
  return padding ? text + '='.repeat(missing) : text
}

function base64Size (text) {
  let length = text.length
  if (text.charCodeAt(length - 1) === 61) length--
  if (length > 1 && text.charCodeAt(length - 1) === 61) length--
  return length * 3 >>> 2
}

export const base64 = {
  name: 'base64',
  size: base64Size,
  encode: decodeBase64,
  decode: (bytes) => encodeBase64(bytes, STANDARD, true)
}

export const base64url = {
  name: 'base64url',
  size: base64Size,
  encode: decodeBase64,
  decode: (bytes) => encodeBase64(bytes, URL_SAFE, false)
}

const TABLE = {
  utf8,
  'utf-8': utf8,
  utf16le,
  'utf-16le': utf16le,
  ucs2: utf16le,
  'ucs-2': utf16le,
  latin1,
  binary: latin1,
  ascii,
  hex,
  base64,
  base64url
}
Object.setPrototypeOf(TABLE, null)

/** The encoding of that name; `undefined` when there is none. */
export function find (name) {
  if (name === undefined || name === null || name === '') return utf8
  return TABLE[name] ?? TABLE[String(name).toLowerCase()]
}
