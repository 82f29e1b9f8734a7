/** How single values look: text in quotes, numbers, keys. */

const ESCAPES = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' }
const UNSEEN = /[\0-\x1f\\\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

function escaped (char) {
  if (ESCAPES[char]) return ESCAPES[char]
  const code = char.charCodeAt(0)
  const hex = code.toString(16)
  return code > 0xff ? `\\u${hex}` : `\\x${hex.toUpperCase().padStart(2, '0')}`
}

/** Text in the quotes that need the least escaping. */
export function quoted (text) {
  const plain = text.replace(UNSEEN, escaped)
  if (!text.includes("'")) return `'${plain}'`
  if (!text.includes('"')) return `"${plain}"`
  if (!text.includes('`') && !text.includes('${')) return `\`${plain}\``
  return `'${plain.replaceAll("'", "\\'")}'`
}

/** A number, perhaps with `_` between groups of three digits. */
export function number (value, separator) {
  const text = Object.is(value, -0) ? '-0' : `${value}`
  if (!separator || !Number.isFinite(Number(value)) || text.includes('e')) return text
  const [whole, fraction] = text.split('.')
  const left = whole.replace(/(?<=\d)(?=(?:\d{3})+$)/g, '_')
  return fraction === undefined ? left : `${left}.${fraction.replace(/(\d{3})(?=\d)/g, '$1_')}`
}

/** A property's name as it stands before its value. */
export function keyName (key) {
  if (typeof key === 'symbol') return `[${key.toString().replace(UNSEEN, escaped)}]`
  if (key === '__proto__') return "['__proto__']"
  return /^[a-zA-Z_][a-zA-Z_0-9]*$/.test(key) ? key : quoted(key)
}

const COLORS = {
  bigint: [33, 39],
  boolean: [33, 39],
  date: [35, 39],
  module: [4, 24],
  null: [1, 22],
  number: [33, 39],
  regexp: [31, 39],
  special: [36, 39],
  string: [32, 39],
  symbol: [32, 39],
  undefined: [90, 39]
}

/** Text in the color of its kind. */
export function colored (text, style) {
  const codes = COLORS[style]
  return codes ? `\u001b[${codes[0]}m${text}\u001b[${codes[1]}m` : text
}

export const uncolored = (text) => text.replace(/\u001b\[\d\d?m/g, '')
