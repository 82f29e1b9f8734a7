/** The errors of Node.js's buffers: their classes, codes and texts. */

export function typeError (name, expected, value) {
  const error = new TypeError(`The ${quoted(name)} must be ${expected}. Received ${received(value)}`)
  error.code = 'ERR_INVALID_ARG_TYPE'
  return error
}

const quoted = (name) => / argument$/.test(name) ? name : `"${name}" argument`

export function received (value) {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'object') {
    return value.constructor?.name ? `an instance of ${value.constructor.name}` : String(value)
  }
  const text = typeof value === 'string' ? `'${value}'` : typeof value === 'bigint' ? `${value}n` : String(value)
  return `type ${typeof value} (${text.length > 28 ? text.slice(0, 25) + '...' : text})`
}

export function rangeError (name, range, value) {
  const given = readable(value)
  const error = new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${given}`)
  error.code = 'ERR_OUT_OF_RANGE'
  return error
}

function readable (value) {
  const large = typeof value === 'bigint' ? value > 2n ** 32n || value < -(2n ** 32n)
    : Number.isInteger(value) && Math.abs(value) > 2 ** 32
  const text = large ? String(value).replace(/\B(?=(\d{3})+$)/g, '_') : String(value)
  return typeof value === 'bigint' ? `${text}n` : text
}

export function outOfBounds (name) {
  const error = new RangeError(
    name ? `"${name}" is outside of buffer bounds` : 'Attempt to access memory outside buffer bounds')
  error.code = 'ERR_BUFFER_OUT_OF_BOUNDS'
  return error
}

export function unknownEncoding (encoding) {
  const error = new TypeError(`Unknown encoding: ${encoding}`)
  error.code = 'ERR_UNKNOWN_ENCODING'
  return error
}

export function checkNumber (value, name) {
  if (typeof value !== 'number') throw typeError(name, 'of type number', value)
}

/** An integer between both ends. */
export function checkInteger (value, name, min, max) {
  checkNumber(value, name)
  if (!Number.isInteger(value)) throw rangeError(name, 'an integer', value)
  if (value < min || value > max) throw rangeError(name, `>= ${min} && <= ${max}`, value)
}
