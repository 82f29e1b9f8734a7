/** `a=1&b=2` and back, with the semantics of Node.js. `URLSearchParams` is the web's own. */

/** Percent-encodes text. @throws {URIError} a lone surrogate */
export function escape (text) {
  try {
    return encodeURIComponent(typeof text === 'object' ? String(text) : text)
  } catch (error) {
    if (error instanceof URIError) error.code = 'ERR_INVALID_URI'
    throw error
  }
}

/** Bytes of percent-encoded text; what is no code stays. */
export function unescapeBuffer (text) {
  const bytes = []
  for (let i = 0; i < text.length; i++) {
    const code = text[i] === '%' ? parseInt(text.slice(i + 1, i + 3), 16) : NaN
    if (text[i] === '%' && /^[0-9a-f]{2}$/i.test(text.slice(i + 1, i + 3))) {
      bytes.push(code)
      i += 2
    } else {
      bytes.push(text.charCodeAt(i))
    }
  }
  return Uint8Array.from(bytes)
}

/** Decodes text; where it is malformed, as much as can be. */
export function unescape (text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(unescapeBuffer(text))
  }
}

function primitive (value, encode) {
  switch (typeof value) {
    case 'string': return encode(value)
    case 'number': return Number.isFinite(value) ? encode(`${value}`) : ''
    case 'bigint':
    case 'boolean': return encode(`${value}`)
    default: return ''
  }
}

/** @param {{encodeURIComponent?: (text: string) => string}} [options] */
export function stringify (object, separator, equals, options) {
  if (object === null || typeof object !== 'object') return ''
  separator ||= '&'
  equals ||= '='
  const encode = options?.encodeURIComponent ?? querystring.escape
  const pairs = []
  for (const key of Object.keys(object)) {
    const name = encode(key)
    const values = Array.isArray(object[key]) ? object[key] : [object[key]]
    for (const value of values) pairs.push(`${name}${equals}${primitive(value, encode)}`)
  }
  return pairs.join(separator)
}

/**
 * @param {{maxKeys?: number, decodeURIComponent?: (text: string) => string}} [options] 1000 keys unless it
 *   says otherwise; 0 for all
 */
export function parse (text, separator, equals, options) {
  const object = Object.create(null)
  if (typeof text !== 'string' || text === '') return object
  separator = separator ? String(separator) : '&'
  equals = equals ? String(equals) : '='
  const { maxKeys = 1000, decodeURIComponent: decode = querystring.unescape } = options ?? {}
  let pairs = text.split(separator)
  if (maxKeys > 0) pairs = pairs.slice(0, maxKeys)
  for (const pair of pairs) {
    if (pair === '') continue
    const at = pair.indexOf(equals)
    const name = decoded(at === -1 ? pair : pair.slice(0, at), decode)
    const value = at === -1 ? '' : decoded(pair.slice(at + equals.length), decode)
    if (!(name in object)) object[name] = value
    else if (Array.isArray(object[name])) object[name].push(value)
    else object[name] = [object[name], value]
  }
  return object
}

function decoded (text, decode) {
  const spaced = text.replaceAll('+', ' ')
  if (decode === unescape && !/%[0-9a-f]{2}/i.test(spaced)) return spaced
  try {
    return decode(spaced)
  } catch {
    return unescape(spaced) // a decoder of the caller's that cannot
  }
}

const querystring = { parse, stringify, escape, unescape, unescapeBuffer, decode: parse, encode: stringify }

export { parse as decode, stringify as encode }
export default querystring
