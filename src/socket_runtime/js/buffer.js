/** Node.js's Buffer: a Uint8Array that knows text encodings and numbers. */
import {
  checkInteger, checkNumber, outOfBounds, rangeError, received, typeError, unknownEncoding
} from './buffer/_checks.js'
import { ascii, find, hex, utf16le, utf8 } from './buffer/_encodings.js'
import { numbers } from './buffer/_numbers.js'
import { search } from './buffer/_search.js'

export const kMaxLength = 2 ** 32 // bytes; an engine may refuse sooner
export const kStringMaxLength = 2 ** 29 - 24
export const constants = Object.freeze({ MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength })

/** How many bytes `inspect` shows; to be changed on the default export. */
export let INSPECT_MAX_BYTES = 50

/** What all buffers are made with: `Buffer` itself must be callable without `new`, which no class is. */
class FastBuffer extends Uint8Array {}

/** @deprecated use `Buffer.from`, `Buffer.alloc` */
export function Buffer (value, encodingOrOffset, length) {
  if (typeof value === 'number') {
    if (typeof encodingOrOffset === 'string') throw typeError('string', 'of type string', value)
    return alloc(value)
  }
  return from(value, encodingOrOffset, length)
}

Buffer.prototype = FastBuffer.prototype
Object.setPrototypeOf(Buffer, Uint8Array)
Object.defineProperty(Buffer, Symbol.species, { configurable: true, get: () => FastBuffer })
define(Buffer.prototype, { constructor: Buffer })

/** @deprecated use `Buffer.allocUnsafeSlow` */
export function SlowBuffer (size) {
  return allocUnsafe(size)
}
SlowBuffer.prototype = FastBuffer.prototype
Object.setPrototypeOf(SlowBuffer, Uint8Array)

function define (target, members) {
  for (const name of Reflect.ownKeys(members)) {
    Object.defineProperty(target, name, { value: members[name], writable: true, configurable: true, enumerable: false })
  }
}

const wrap = (bytes) => new FastBuffer(bytes.buffer, bytes.byteOffset, bytes.length)

function encodingOf (name) {
  const encoding = find(typeof name === 'string' ? name : undefined)
  if (!encoding) throw unknownEncoding(name)
  return encoding
}

function checkSize (size) {
  checkNumber(size, 'size')
  if (!(size >= 0 && size <= kMaxLength)) throw rangeError('size', `>= 0 && <= ${kMaxLength}`, size)
}

// -- making -------------------------------------------------------------------------------------------

function alloc (size, fill, encoding) {
  checkSize(size)
  const buffer = new FastBuffer(size)
  if (fill === undefined || fill === 0 || size === 0) return buffer
  if (typeof encoding !== 'string') encoding = undefined
  return buffer.fill(fill, encoding)
}

function allocUnsafe (size) {
  checkSize(size)
  return new FastBuffer(size)
}

function from (value, encodingOrOffset, length) {
  if (typeof value === 'string') {
    const bytes = encodingOf(encodingOrOffset === '' ? undefined : encodingOrOffset).encode(value)
    return wrap(bytes)
  }
  if (typeof value === 'object' && value !== null) {
    if (isArrayBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length)
    const primitive = value.valueOf?.()
    if (primitive !== null && primitive !== undefined && primitive !== value &&
      (typeof primitive === 'string' || typeof primitive === 'object')) {
      return from(primitive, encodingOrOffset, length)
    }
    const buffer = fromObject(value)
    if (buffer) return buffer
    const text = value[Symbol.toPrimitive]?.('string')
    if (typeof text === 'string') return from(text, encodingOrOffset)
  }
  throw typeError('first argument',
    'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object', value)
}

function isArrayBuffer (value) {
  return value instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer) ||
    Object.prototype.toString.call(value) === '[object ArrayBuffer]' // of another window
}

function fromArrayBuffer (memory, offset, length) {
  let start = offset === undefined ? 0 : Number(offset)
  if (Number.isNaN(start)) start = 0
  const most = memory.byteLength - start
  if (most < 0) throw outOfBounds('offset')
  if (length === undefined) return new FastBuffer(memory, start, most)
  const count = Number(length)
  if (!(count > 0)) return new FastBuffer(memory, start, 0)
  if (count > most) throw outOfBounds('length')
  return new FastBuffer(memory, start, count)
}

function fromObject (value) {
  if (value.length !== undefined || isArrayBuffer(value.buffer)) {
    return typeof value.length === 'number' ? new FastBuffer(value) : new FastBuffer(0)
  }
  return value.type === 'Buffer' && Array.isArray(value.data) ? new FastBuffer(value.data) : null
}

function concat (list, total) {
  if (!Array.isArray(list)) throw typeError('list', 'an instance of Array', list)
  if (total === undefined) total = list.reduce((sum, part) => sum + (part?.length ?? 0), 0)
  else checkInteger(total, 'length', 0, kMaxLength)
  const whole = allocUnsafe(total)
  let at = 0
  for (const [i, part] of list.entries()) {
    if (!(part instanceof Uint8Array)) throw typeError(`list[${i}]`, 'an instance of Buffer or Uint8Array', part)
    if (at >= total) continue
    whole.set(at + part.length > total ? part.subarray(0, total - at) : part, at)
    at += part.length
  }
  return whole
}

function compareBytes (a, b) {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1
}

function checkBytes (value, name) {
  if (!(value instanceof Uint8Array)) throw typeError(name, 'an instance of Buffer or Uint8Array', value)
}

define(Buffer, {
  from,
  alloc,
  allocUnsafe,
  allocUnsafeSlow: allocUnsafe,
  concat,
  poolSize: 8192,
  of: (...bytes) => new FastBuffer(bytes),
  isBuffer: (value) => value instanceof FastBuffer,
  isEncoding: (name) => typeof name === 'string' && name !== '' && find(name) !== undefined,
  compare (a, b) {
    checkBytes(a, 'buf1')
    checkBytes(b, 'buf2')
    return compareBytes(a, b)
  },
  byteLength (value, encoding) {
    if (typeof value === 'string') return (find(encoding) ?? utf8).size(value)
    if (ArrayBuffer.isView(value) || isArrayBuffer(value)) return value.byteLength
    throw typeError('string', 'of type string or an instance of Buffer or ArrayBuffer', value)
  },
  copyBytesFrom (source, offset = 0, length = source.length - offset) {
    if (!ArrayBuffer.isView(source) || source instanceof DataView) {
      throw typeError('view', 'an instance of TypedArray', source)
    }
    checkInteger(offset, 'offset', 0, Number.MAX_SAFE_INTEGER)
    checkInteger(length, 'length', 0, Number.MAX_SAFE_INTEGER)
    const part = source.slice(offset, offset + length)
    return new FastBuffer(part.buffer, part.byteOffset, part.byteLength)
  }
})
Object.defineProperty(Buffer, 'poolSize', { enumerable: true })

// -- text ---------------------------------------------------------------------------------------------

/** A position as Node.js takes it: not a number is 0, fractions are cut, ends are kept. */
function clamp (value, length, otherwise) {
  if (value === undefined) return otherwise
  const number = Math.trunc(Number(value)) || 0
  return number < 0 ? 0 : Math.min(number, length)
}

function write (text, offset, length, encoding) {
  if (typeof offset === 'string') [encoding, offset, length] = [offset, undefined, undefined]
  else if (typeof length === 'string') [encoding, length] = [length, undefined]
  if (typeof text !== 'string') throw typeError('argument', 'of type string', text)
  if (offset === undefined) { // without a place it is the whole buffer, whatever else is said, as in Node.js
    [offset, length] = [0, undefined]
  }
  checkInteger(offset, 'offset', 0, this.length)
  let room = this.length - offset
  if (length !== undefined) {
    checkInteger(length, 'length', 0, this.length)
    room = Math.min(room, length)
  }
  const kind = encodingOf(encoding)
  const target = this.subarray(offset, offset + room)
  if (kind === utf8) return encoder.encodeInto(text, target).written // never half a character
  const bytes = kind.encode(text)
  const fits = kind === utf16le ? room & ~1 : room
  target.set(bytes.length > fits ? bytes.subarray(0, fits) : bytes)
  return Math.min(bytes.length, fits)
}

const encoder = new TextEncoder()

function fill (value, start, end, encoding) {
  if (typeof start === 'string') [encoding, start, end] = [start, undefined, undefined]
  else if (typeof end === 'string') [encoding, end] = [end, undefined]
  if (encoding !== undefined && typeof encoding !== 'string') throw typeError('encoding', 'of type string', encoding)
  if (typeof value === 'string') encodingOf(encoding)
  const [from, to] = fillRange(this, start, end)
  if (from >= to) return this
  const pattern = patternOf(value, encoding)
  if (typeof pattern === 'number') return Uint8Array.prototype.fill.call(this, pattern, from, to)
  let filled = Math.min(pattern.length, to - from)
  this.set(pattern.subarray(0, filled), from)
  while (filled < to - from) { // doubles what is already there
    const more = Math.min(filled, to - from - filled)
    this.copyWithin(from + filled, from, from + more)
    filled += more
  }
  return this
}

function fillRange (buffer, start, end = buffer.length) {
  if (start === undefined) return [0, buffer.length]
  checkInteger(start, 'offset', 0, kMaxLength)
  checkInteger(end, 'end', 0, buffer.length)
  return [start, end]
}

function patternOf (value, encodingName) {
  if (typeof value === 'number') return value & 0xff
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'string') {
    const encoding = encodingOf(encodingName)
    if (value === '') return 0
    return checkPattern(encoding.encode(value), value)
  }
  if (value instanceof Uint8Array) return checkPattern(value, value)
  if (value === null || value === undefined || typeof value === 'object') return Number(value) & 0xff
  return 0
}

function checkPattern (bytes, value) {
  if (bytes.length > 0) return bytes
  const given = typeof value === 'string' ? `'${value}'` : received(value)
  const error = new TypeError(`The argument 'value' is invalid. Received ${given}`)
  error.code = 'ERR_INVALID_ARG_VALUE'
  throw error
}

function find1 (buffer, value, offset, encoding, forward) {
  if (typeof offset === 'string') [encoding, offset] = [offset, undefined]
  const kind = typeof value === 'string' ? encodingOf(encoding) : find(encoding)
  let from = Math.trunc(Number(offset))
  if (Number.isNaN(from)) from = forward ? 0 : buffer.length // also for undefined, null is 0
  if (offset !== undefined && from < 0) from += buffer.length
  if (typeof value === 'number') return findByte(buffer, value & 0xff, from, forward)
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw typeError('value', 'one of type number or string or an instance of Buffer or Uint8Array', value)
  }
  const needle = typeof value === 'string' ? kind.encode(value) : value
  if (from < 0 && !forward) return -1
  if (needle.length === 0) return Math.max(0, Math.min(from, buffer.length))
  return search(buffer, needle, from, kind === utf16le ? 2 : 1, forward)
}

function findByte (buffer, byte, from, forward) {
  if (forward) return Uint8Array.prototype.indexOf.call(buffer, byte, Math.max(from, 0))
  return from < 0 ? -1 : Uint8Array.prototype.lastIndexOf.call(buffer, byte, from)
}

// -- parts and comparisons ----------------------------------------------------------------------------

function part (start, end) {
  const length = this.length
  const at = (value, otherwise) => {
    if (value === undefined) return otherwise
    const number = Math.trunc(Number(value)) || 0
    return number < 0 ? Math.max(0, number + length) : Math.min(number, length)
  }
  const from = at(start, 0)
  const to = at(end, length)
  return new FastBuffer(this.buffer, this.byteOffset + from, Math.max(0, to - from))
}

function compare (target, targetStart = 0, targetEnd, start = 0, end) {
  checkBytes(target, 'target')
  if (arguments.length === 1) return compareBytes(this, target)
  checkInteger(targetStart, 'targetStart', 0, kMaxLength)
  targetEnd === undefined ? targetEnd = target.length : checkInteger(targetEnd, 'targetEnd', 0, target.length)
  checkInteger(start, 'sourceStart', 0, kMaxLength)
  end === undefined ? end = this.length : checkInteger(end, 'sourceEnd', 0, this.length)
  if (start >= end) return targetStart >= targetEnd ? 0 : -1
  if (targetStart >= targetEnd) return 1
  return compareBytes(this.subarray(start, end), target.subarray(targetStart, targetEnd))
}

function copy (target, targetStart, start, end) {
  checkBytes(target, 'target')
  const at = (value, name, otherwise, most = Infinity) => {
    if (value === undefined) return otherwise
    const number = Math.trunc(Number(value))
    if (!Number.isSafeInteger(number)) return 0
    if (number < 0 || number > most) throw rangeError(name, most < Infinity ? `>= 0 && <= ${most}` : '>= 0', number)
    return number
  }
  const to = at(targetStart, 'targetStart', 0)
  const from = at(start, 'sourceStart', 0, this.length)
  const stop = Math.min(at(end, 'sourceEnd', this.length), this.length)
  if (to >= target.length || from >= stop) return 0
  const count = Math.min(stop - from, target.length - to)
  Uint8Array.prototype.set.call(target, Uint8Array.prototype.subarray.call(this, from, from + count), to)
  return count
}

function swap (size) {
  return function () {
    if (this.length % size !== 0) {
      const error = new RangeError(`Buffer size must be a multiple of ${size * 8}-bits`)
      error.code = 'ERR_INVALID_BUFFER_SIZE'
      throw error
    }
    for (let at = 0; at < this.length; at += size) Uint8Array.prototype.reverse.call(this.subarray(at, at + size))
    return this
  }
}

function inspect () {
  const shown = hex.decode(this.subarray(0, INSPECT_MAX_BYTES)).replace(/(..)(?!$)/g, '$1 ')
  const more = this.length - INSPECT_MAX_BYTES
  const rest = more > 0 ? ` ... ${more} more byte${more > 1 ? 's' : ''}` : ''
  return `<Buffer${shown ? ' ' : ''}${shown}${rest}>`
}

function toString (encoding, start, end) {
  const from = clamp(start, this.length, 0)
  const to = clamp(end, this.length, this.length)
  if (to <= from) return ''
  const kind = encodingOf(encoding)
  const whole = from === 0 && to === this.length
  return kind.decode(whole ? this : new Uint8Array(this.buffer, this.byteOffset + from, to - from))
}

function slices (name) {
  return function (start, end) {
    return this.toString(name, start, end)
  }
}

function writes (name) {
  return function (text, offset, length) {
    return this.write(text, offset, length, name)
  }
}

define(Buffer.prototype, {
  ...numbers,
  write,
  fill,
  compare,
  copy,
  toString,
  inspect,
  [Symbol.for('nodejs.util.inspect.custom')]: inspect,
  toLocaleString: toString,
  slice: part,
  subarray: part,
  swap16: swap(2),
  swap32: swap(4),
  swap64: swap(8),
  equals (other) {
    checkBytes(other, 'otherBuffer')
    return this === other || (this.length === other.length && compareBytes(this, other) === 0)
  },
  toJSON () {
    return { type: 'Buffer', data: Array.from(this) }
  },
  indexOf (value, offset, encoding) {
    return find1(this, value, offset, encoding, true)
  },
  lastIndexOf (value, offset, encoding) {
    return find1(this, value, offset, encoding, false)
  },
  includes (value, offset, encoding) {
    return find1(this, value, offset, encoding, true) !== -1
  }
})

for (const name of ['ascii', 'base64', 'base64url', 'hex', 'latin1', 'ucs2', 'utf8']) {
  define(Buffer.prototype, { [`${name}Slice`]: slices(name), [`${name}Write`]: writes(name) })
}
for (const [name, source] of [['parent', 'buffer'], ['offset', 'byteOffset']]) {
  Object.defineProperty(Buffer.prototype, name, {
    enumerable: true,
    configurable: true,
    get () {
      return this instanceof FastBuffer ? this[source] : undefined
    }
  })
}

// -- beside the class ---------------------------------------------------------------------------------

/** Bytes of text in one encoding as those of the same text in another. */
export function transcode (source, fromEncoding, toEncoding) {
  checkBytes(source, 'source')
  const text = encodingOf(fromEncoding).decode(source)
  const to = encodingOf(toEncoding)
  if (to === ascii) return from(text.replace(/[^\0-\x7f]/gu, '?'), 'latin1')
  if (to.name === 'latin1') return from(text.replace(/[^\0-\xff]/gu, '?'), 'latin1')
  return wrap(to.encode(text))
}

export function isUtf8 (input) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(input)
    return true
  } catch {
    return false
  }
}

export function isAscii (input) {
  const bytes = ArrayBuffer.isView(input)
    ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
    : new Uint8Array(input)
  return bytes.every((byte) => byte < 0x80)
}

export const { Blob, File, atob, btoa } = globalThis

export default {
  get INSPECT_MAX_BYTES () {
    return INSPECT_MAX_BYTES
  },
  set INSPECT_MAX_BYTES (count) {
    INSPECT_MAX_BYTES = count
  },
  Buffer, SlowBuffer, kMaxLength, kStringMaxLength, constants, transcode, isUtf8, isAscii,
  Blob, File, atob, btoa
}
