import { checkNumber, outOfBounds, rangeError, typeError } from './_checks.js'

/**
 * The methods that read and write numbers, for the prototype of Buffer. They come in families: both byte
 * orders, and two spellings of `UInt`.
 */
export const numbers = {}

function view (bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** @throws unless `size` bytes lie in the buffer from `offset` on */
function checkOffset (bytes, offset, size) {
  checkNumber(offset, 'offset')
  const last = bytes.length - size
  if (offset >= 0 && offset <= last && Number.isInteger(offset)) return
  if (Math.floor(offset) !== offset) throw rangeError('offset', 'an integer', offset)
  if (last < 0) throw outOfBounds()
  throw rangeError('offset', `>= 0 and <= ${last}`, offset)
}

function checkValue (value, min, max, size) {
  if (value >= min && value <= max) return
  if (Number.isNaN(value)) return // becomes 0, as in Node.js
  throw rangeError('value', rangeText(min, max, size), value)
}

function rangeText (min, max, size) {
  const n = typeof min === 'bigint' ? 'n' : ''
  if (size <= 4) return `>= ${min}${n} and <= ${max}${n}`
  const bits = size * 8
  if (min === 0 || min === 0n) return `>= 0${n} and < 2${n} ** ${bits}${n}`
  return `>= -(2${n} ** ${bits - 1}${n}) and < 2${n} ** ${bits - 1}${n}`
}

function define (name, method) {
  numbers[name] = method
  if (name.includes('UInt')) numbers[name.replace('UInt', 'Uint')] = method
}

function fixed (kind, size, min, max) {
  for (const order of size === 1 ? [''] : ['LE', 'BE']) {
    const little = order === 'LE'
    const type = kind.replace('UInt', 'Uint').replace('Double', 'Float64').replace(/^Float$/, 'Float32')
    const get = `get${type}`
    const set = `set${type}`
    define(`read${kind}${order}`, function (offset = 0) {
      checkOffset(this, offset, size)
      return view(this)[get](offset, little)
    })
    define(`write${kind}${order}`, function (value, offset = 0) {
      const number = typeof min === 'bigint' ? value : Number(value)
      if (typeof min === 'bigint' && typeof value !== 'bigint') throw typeError('value', 'of type bigint', value)
      if (size === 1) checkNumber(offset, 'offset')
      if (min !== undefined) checkValue(number, min, max, size)
      checkOffset(this, offset, size)
      view(this)[set](offset, number, little)
      return offset + size
    })
  }
}

fixed('UInt8', 1, 0, 0xff)
fixed('Int8', 1, -0x80, 0x7f)
fixed('UInt16', 2, 0, 0xffff)
fixed('Int16', 2, -0x8000, 0x7fff)
fixed('UInt32', 4, 0, 0xffffffff)
fixed('Int32', 4, -0x80000000, 0x7fffffff)
fixed('BigUInt64', 8, 0n, 2n ** 64n - 1n)
fixed('BigInt64', 8, -(2n ** 63n), 2n ** 63n - 1n)
fixed('Float', 4)
fixed('Double', 8)

const MAX_SIZE = 6 // bytes: the widest integer of any size that a number holds exactly

function checkSize (size) {
  if (size === undefined) throw typeError('byteLength', 'of type number', size)
  checkNumber(size, 'byteLength')
  if (Math.floor(size) !== size) throw rangeError('byteLength', 'an integer', size)
  if (size < 1 || size > MAX_SIZE) throw rangeError('byteLength', `>= 1 and <= ${MAX_SIZE}`, size)
}

function readUnsigned (bytes, offset, size, little) {
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + bytes[offset + (little ? size - 1 - i : i)]
  return value
}

function writeAny (bytes, value, offset, size, little) {
  let rest = Number.isNaN(value) ? 0 : Math.trunc(value)
  for (let i = 0; i < size; i++) {
    bytes[offset + (little ? i : size - 1 - i)] = rest & 0xff // & is modulo 2 ** 32: exact for the low byte
    rest = Math.floor(rest / 256)
  }
}

function anySize (kind, order, signed) {
  const little = order === 'LE'
  define(`read${kind}${order}`, function (offset, size) {
    if (offset === undefined) throw typeError('offset', 'of type number', offset)
    checkSize(size)
    checkOffset(this, offset, size)
    const value = readUnsigned(this, offset, size, little)
    return signed && value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value
  })
  define(`write${kind}${order}`, function (value, offset, size) {
    checkSize(size)
    const number = Number(value)
    const span = 2 ** (8 * size)
    if (size === 1) checkNumber(offset, 'offset')
    checkValue(number, signed ? -span / 2 : 0, (signed ? span / 2 : span) - 1, size)
    if (offset === undefined) throw typeError('offset', 'of type number', offset)
    checkOffset(this, offset, size)
    writeAny(this, number, offset, size, little)
    return offset + size
  })
}

for (const order of ['LE', 'BE']) {
  anySize('UInt', order, false)
  anySize('Int', order, true)
}
