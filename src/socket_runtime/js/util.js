/** Small tools, with the names of Node.js's `util`. */
import { config } from './_runtime.js'
import { format, formatWithOptions, inspect } from './util/_inspect.js'
import { isDeepStrictEqual } from './util/_equal.js'
import * as types from './util/types.js'

export { format, formatWithOptions, inspect, isDeepStrictEqual, types }
export const { TextDecoder, TextEncoder } = globalThis

const custom = Symbol.for('nodejs.util.promisify.custom')

function checkFunction (value, name) {
  if (typeof value === 'function') return
  const received = value === null ? 'null' : typeof value
  const error = new TypeError(`The "${name}" argument must be of type function. Received ${received}`)
  error.code = 'ERR_INVALID_ARG_TYPE'
  throw error
}

/** A function with a callback `(err, value)` as one that gives a promise. */
export function promisify (original) {
  checkFunction(original, 'original')
  if (original[custom]) {
    checkFunction(original[custom], 'util.promisify.custom')
    return Object.defineProperty(original[custom], custom, { value: original[custom], configurable: true })
  }
  function promised (...args) {
    return new Promise((resolve, reject) => {
      original.call(this, ...args, (error, value) => error ? reject(error) : resolve(value))
    })
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original))
  Object.defineProperty(promised, custom, { value: promised, configurable: true })
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original))
}

promisify.custom = custom

/** A function that gives a promise as one with a callback. */
export function callbackify (original) {
  checkFunction(original, 'original')
  function calledBack (...args) {
    const callback = args.pop()
    checkFunction(callback, 'last argument')
    original.apply(this, args).then(
      (value) => queueMicrotask(() => callback.call(this, null, value)),
      (reason) => queueMicrotask(() => callback.call(this, reason || rejected(reason)))
    )
  }
  const { length, name, ...rest } = Object.getOwnPropertyDescriptors(original)
  return Object.defineProperties(calledBack, {
    ...rest,
    length: { ...length, value: length.value + 1 },
    name: { ...name, value: `${name.value}Callbackified` }
  })
}

function rejected (reason) {
  const error = new Error('Promise was rejected with a falsy value')
  error.code = 'ERR_FALSY_VALUE_REJECTION'
  error.reason = reason
  return error
}

/** @deprecated use `class ... extends` */
export function inherits (constructor, superConstructor) {
  checkFunction(constructor, 'ctor')
  checkFunction(superConstructor, 'superCtor')
  if (typeof superConstructor.prototype !== 'object') {
    const error = new TypeError('The "superCtor.prototype" property must be of type object')
    error.code = 'ERR_INVALID_ARG_TYPE'
    throw error
  }
  Object.defineProperty(constructor, 'super_', { value: superConstructor, writable: true, configurable: true })
  Object.setPrototypeOf(constructor.prototype, superConstructor.prototype)
}

const warned = new Set()

/** `fn`, with a warning at its first call; one for each `code`. */
export function deprecate (fn, message, code) {
  let told = false
  function deprecated (...args) {
    if (!told && !(code && warned.has(code))) {
      told = true
      if (code) warned.add(code)
      console.warn(`${code ? `[${code}] ` : ''}DeprecationWarning: ${message}`)
    }
    return new.target ? Reflect.construct(fn, args, new.target) : fn.apply(this, args)
  }
  Object.setPrototypeOf(deprecated, fn)
  if (fn.prototype) deprecated.prototype = fn.prototype
  return deprecated
}

/** Writes to the console when `NODE_DEBUG` of the app's `env` names the section. */
export function debuglog (section, told) {
  const name = section.toUpperCase()
  const enabled = debugNames().some((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'i').test(name))
  const log = (...values) => {
    if (enabled) console.error(`${name}: ${format(...values)}`)
  }
  Object.defineProperty(log, 'enabled', { value: enabled, enumerable: true })
  told?.(log)
  return log
}

function debugNames () {
  const names = config.env?.NODE_DEBUG ?? ''
  return names.split(/[\s,]+/).filter((name) => name).map((name) => name.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
}

const ANSI = /[\u001b\u009b][[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g

/** Without the codes that color a terminal. */
export function stripVTControlCharacters (text) {
  return text.replace(ANSI, '')
}

/** Lone surrogates become U+FFFD. */
export function toUSVString (text) {
  return `${text}`.replace(/\p{Surrogate}/gu, '\ufffd')
}

export const isArray = Array.isArray

export default {
  TextDecoder,
  TextEncoder,
  callbackify,
  debuglog,
  deprecate,
  format,
  formatWithOptions,
  inherits,
  inspect,
  isArray,
  isDeepStrictEqual,
  promisify,
  stripVTControlCharacters,
  toUSVString,
  types
}
