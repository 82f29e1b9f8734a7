import * as types from './types.js'

/** Are both the same, value by value, prototypes and all? `0` and `-0` differ, `NaN` equals itself. */
export function isDeepStrictEqual (a, b) {
  return same(a, b, new Map())
}

function same (a, b, seen) {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (seen.get(a) === b) return true // a circle: equal so far as it was followed
  seen.set(a, b)
  const equal = sameInside(a, b, seen) && sameProperties(a, b, seen)
  seen.delete(a)
  return equal
}

const KINDS = [
  types.isDate, types.isRegExp, types.isMap, types.isSet, types.isAnyArrayBuffer, types.isArrayBufferView,
  types.isNativeError, types.isBoxedPrimitive, Array.isArray, types.isArgumentsObject
]

/** What lies in the objects beside their properties. */
function sameInside (a, b, seen) {
  for (const isKind of KINDS) {
    if (isKind(a) !== isKind(b)) return false
  }
  if (types.isDate(a)) return Object.is(a.getTime(), b.getTime())
  if (types.isRegExp(a)) return String(a) === String(b) && a.lastIndex === b.lastIndex
  if (types.isNativeError(a)) return a.message === b.message && a.name === b.name && same(a.cause, b.cause, seen)
  if (types.isBoxedPrimitive(a)) return Object.is(a.valueOf(), b.valueOf())
  if (types.isAnyArrayBuffer(a)) return sameBytes(new Uint8Array(a), new Uint8Array(b))
  if (types.isArrayBufferView(a)) return sameView(a, b)
  if (types.isMap(a)) return sameMap(a, b, seen)
  if (types.isSet(a)) return sameSet(a, b, seen)
  if (types.isWeakMap(a) || types.isWeakSet(a) || types.isPromise(a)) return false // nobody can look inside
  return !Array.isArray(a) || a.length === b.length
}

function sameView (a, b) {
  if (a.constructor?.name.startsWith('Float')) { // NaN has many bytes
    return a.length === b.length && a.every((value, i) => Object.is(value, b[i]))
  }
  const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return sameBytes(bytes(a), bytes(b))
}

function sameBytes (a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function sameMap (a, b, seen) {
  if (a.size !== b.size) return false
  const left = []
  for (const [key, value] of a) {
    if (!b.has(key)) left.push([key, value])
    else if (!same(value, b.get(key), seen)) return false
  }
  const others = [...b].filter(([key]) => !a.has(key))
  return matched(left, others, ([key, value], [otherKey, other]) =>
    isObject(key) && same(key, otherKey, seen) && same(value, other, seen))
}

function sameSet (a, b, seen) {
  if (a.size !== b.size) return false
  const left = [...a].filter((value) => !b.has(value))
  const others = [...b].filter((value) => !a.has(value))
  return matched(left, others, (value, other) => isObject(value) && same(value, other, seen))
}

const isObject = (value) => typeof value === 'object' && value !== null

/** Has each of the one list a partner of its own in the other? */
function matched (list, others, fits) {
  for (const item of list) {
    const at = others.findIndex((other) => fits(item, other))
    if (at === -1) return false
    others.splice(at, 1)
  }
  return others.length === 0
}

function sameProperties (a, b, seen) {
  const keys = ownKeys(a)
  const others = ownKeys(b)
  if (keys.length !== others.length) return false
  if (types.isTypedArray(a)) return keys.every((key) => key in b)
  return keys.every((key) => Object.prototype.propertyIsEnumerable.call(b, key) && same(a[key], b[key], seen))
}

function ownKeys (object) {
  const symbols = Object.getOwnPropertySymbols(object)
    .filter((symbol) => Object.prototype.propertyIsEnumerable.call(object, symbol))
  const names = types.isTypedArray(object)
    ? Object.keys(object).filter((name) => !/^\d+$/.test(name))
    : Object.keys(object)
  return [...names, ...symbols]
}
