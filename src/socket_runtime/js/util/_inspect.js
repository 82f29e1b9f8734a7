import { layOut } from './_layout.js'
import { boxedBase, className, errorBase, functionBase, prefix, tagOf } from './_shape.js'
import { colored, keyName, number, quoted, uncolored } from './_text.js'
import * as types from './types.js'

const custom = Symbol.for('nodejs.util.inspect.custom')

const DEFAULTS = {
  breakLength: 80,
  colors: false,
  compact: 3,
  customInspect: true,
  depth: 2,
  getters: false,
  maxArrayLength: 100,
  maxStringLength: 10000,
  numericSeparator: false,
  showHidden: false,
  sorted: false
}

/** Walks through one value. */
class Inspector {
  #path = [] // the objects that hold the one at hand
  #circles = new Map()
  #deepest = 0 // level of the object that was looked at last
  #indentation = 0

  constructor (options) {
    this.options = options
  }

  get #limit () {
    return this.options.depth ?? Infinity
  }

  style (text, kind) {
    return this.options.colors ? colored(text, kind) : text
  }

  /** Any value as text. */
  show (value, level, inside = false) {
    if (value === null) return this.style('null', 'null')
    if (typeof value !== 'object' && typeof value !== 'function') return this.#primitive(value, inside)
    const own = this.options.customInspect ? this.#custom(value, level) : undefined
    if (own !== undefined) return own
    if (this.#path.includes(value)) return this.#circle(value)
    return this.#object(value, level)
  }

  #primitive (value, inside) {
    switch (typeof value) {
      case 'string': return this.#text(value, inside)
      case 'number': return this.style(number(value, this.options.numericSeparator), 'number')
      case 'bigint': return this.style(`${number(value, this.options.numericSeparator)}n`, 'bigint')
      case 'symbol': return this.style(value.toString(), 'symbol')
      default: return this.style(`${value}`, typeof value)
    }
  }

  #text (text, inside) {
    const { maxStringLength, compact, breakLength } = this.options
    const limit = maxStringLength ?? Infinity
    const left = text.length - limit
    const rest = left > 0 ? `... ${left} more character${left > 1 ? 's' : ''}` : ''
    const shown = rest ? text.slice(0, limit) : text
    const long = compact !== true && shown.length > 16 && shown.length > breakLength - this.#indentation - 4
    const lines = long && inside ? shown.split(/(?<=\n)/) : [shown]
    const between = ` +\n${' '.repeat(this.#indentation + 2)}`
    return lines.map((line) => this.style(quoted(line), 'string')).join(between) + rest
  }

  #custom (value, level) {
    const method = value[custom]
    if (typeof method !== 'function' || method === inspect) return undefined
    if (value.constructor && value.constructor.prototype === value) return undefined
    const depth = this.options.depth === null ? null : this.options.depth - level
    const options = { ...this.options, depth, stylize: (text, kind) => this.style(`${text}`, kind) }
    const shown = method.call(value, depth, options, inspect)
    if (shown === value) return undefined
    if (typeof shown === 'object') return this.show(shown, level)
    return String(shown).replaceAll('\n', `\n${' '.repeat(this.#indentation)}`)
  }

  #circle (value) {
    if (!this.#circles.has(value)) this.#circles.set(value, this.#circles.size + 1)
    return this.style(`[Circular *${this.#circles.get(value)}]`, 'special')
  }

  #object (value, level) {
    const shape = this.#shape(value, className(value), tagOf(value))
    if (shape.whole !== undefined) return shape.whole
    if (level > this.#limit) return this.style(shape.short, 'special')
    this.#path.push(value)
    const inner = level + 1
    this.#deepest = inner
    const parts = shape.entries(inner)
    const properties = shape.keys.map((key) => this.#property(value, key, inner, shape.array !== null))
    this.#path.pop()
    let { base, braces } = shape
    if (this.#circles.has(value)) {
      const mark = this.style(`<ref *${this.#circles.get(value)}>`, 'special')
      if (this.options.compact === true) braces = [`${mark} ${braces[0]}`, braces[1]]
      else base = base ? `${mark} ${base}` : mark
    }
    const { sorted } = this.options
    if (sorted) properties.sort(sorted === true ? undefined : sorted)
    if (sorted && shape.array === null) parts.sort(sorted === true ? undefined : sorted)
    return layOut([...parts, ...properties], {
      base, braces, array: shape.array, nesting: this.#deepest - inner, indentation: this.#indentation
    }, this.options)
  }

  /** Enumerable properties; all of them with `showHidden`; without the entries of an array. */
  #keys (value, indexed = false) {
    const { showHidden } = this.options
    const names = showHidden ? Object.getOwnPropertyNames(value) : Object.keys(value)
    const symbols = Object.getOwnPropertySymbols(value)
      .filter((key) => showHidden || Object.prototype.propertyIsEnumerable.call(value, key))
    const shown = indexed ? names.filter((key) => !/^(?:0|[1-9]\d*)$/.test(key)) : names
    return [...shown, ...symbols]
  }

  /** What of a value stands before, around and between its properties; `whole` when that is all. */
  #shape (value, name, tag) {
    if (Array.isArray(value) || types.isTypedArray(value)) {
      const plain = name === 'Array' && tag === ''
      return this.#list(value, plain ? '' : prefix(name, tag, name ?? 'Array', `(${value.length})`))
    }
    const keys = this.#keys(value)
    const shape = (before, entries = none, more = {}) => {
      const short = `[${(name === null ? before : name + (tag && tag !== name ? ` [${tag}]` : '')).trim()}]`
      return { base: '', braces: [`${before}{`, '}'], entries, keys, array: null, short, ...more }
    }
    const whole = (text, style) => ({ whole: this.style(text, style) })
    const based = (base, style) => keys.length ? shape('', none, { base }) : whole(base, style)

    if (types.isSet(value) || types.isMap(value)) return this.#collection(shape, name, tag, value)
    if (typeof value === 'function') return based(functionBase(value, name, tag), 'special')
    if (types.isArgumentsObject(value)) return keys.length ? shape('[Arguments] ') : { whole: '[Arguments] {}' }
    if (types.isRegExp(value)) {
      return based((name === 'RegExp' ? '' : prefix(name, tag, 'RegExp')) + String(value), 'regexp')
    }
    if (types.isDate(value)) {
      const date = Number.isNaN(value.getTime()) ? String(value) : value.toISOString()
      return based((name === 'Date' ? '' : prefix(name, tag, 'Date')) + date, 'date')
    }
    if (types.isNativeError(value)) return this.#error(value, keys, shape)
    if (types.isAnyArrayBuffer(value)) {
      return shape(prefix(name, tag, 'ArrayBuffer'), (level) => this.#memory(value, level))
    }
    if (types.isDataView(value)) {
      return shape(prefix(name, tag, 'DataView'), (level) =>
        ['byteLength', 'byteOffset', 'buffer'].map((key) => `${key}: ${this.#nested(value[key], level)}`))
    }
    const hidden = (what) => shape(prefix(name, tag, 'Object'), () => [this.style(`<${what} unknown>`, 'special')])
    if (types.isPromise(value)) return hidden('state')
    if (types.isWeakMap(value) || types.isWeakSet(value)) return hidden('items')
    if (types.isModuleNamespaceObject(value)) return shape('[Module: null prototype] ')
    if (types.isBoxedPrimitive(value)) return this.#boxed(value, name, keys, shape)
    if (typeof URL !== 'undefined' && value instanceof URL) return based(value.href, 'special')
    const before = name === 'Object' && tag === '' ? '' : prefix(name, tag, 'Object')
    return keys.length ? shape(before) : { whole: `${before}{}` }
  }

  #list (value, before) {
    const keys = this.#keys(value, true).filter((key) => key !== 'length' || this.options.showHidden)
    if (value.length === 0 && keys.length === 0) return { whole: `${before}[]` }
    return {
      base: '',
      braces: [`${before}[`, ']'],
      entries: (level) => this.#elements(value, level),
      keys,
      array: value,
      short: `[${before.replace(/\(.*/, '').trim() || 'Array'}]`
    }
  }

  #collection (shape, name, tag, value) {
    const map = types.isMap(value)
    const before = prefix(name, tag, map ? 'Map' : 'Set', `(${value.size})`)
    const made = shape(before, (level) => map ? this.#mapEntries(value, level) : this.#setEntries(value, level))
    return value.size === 0 && made.keys.length === 0 ? { whole: `${before}{}` } : made
  }

  #error (error, keys, shape) {
    const hidden = keys.filter((key) => !['name', 'message', 'stack'].includes(key) ||
      !String(error.stack).includes(String(error[key])))
    for (const key of ['cause', 'errors']) {
      if (Object.hasOwn(error, key) && !hidden.includes(key)) hidden.push(key)
    }
    const base = errorBase(error, this.#indentation)
    return hidden.length ? shape('', none, { base, keys: hidden }) : { whole: base }
  }

  #boxed (value, name, keys, shape) {
    const shown = types.isStringObject(value) ? keys.filter((key) => !/^\d+$/.test(String(key))) : keys
    const base = boxedBase(value, name, (inner) => uncolored(this.#primitive(inner, false)))
    return shown.length ? shape('', none, { base, keys: shown }) : { whole: this.style(base, typeof value.valueOf()) }
  }

  #elements (value, level) {
    const limit = Math.min(Math.max(0, this.options.maxArrayLength ?? Infinity), value.length)
    const shown = []
    let at = 0
    while (at < value.length && shown.length < limit) {
      if (Object.hasOwn(value, at)) {
        shown.push(this.#nested(value[at], level))
        at++
        continue
      }
      const start = at
      while (at < value.length && !Object.hasOwn(value, at)) at++
      shown.push(this.style(`<${at - start} empty item${at - start > 1 ? 's' : ''}>`, 'undefined'))
    }
    return at < value.length ? [...shown, more(value.length - at)] : shown
  }

  #setEntries (set, level) {
    return this.#within(2, () => this.#limited(set, set.size, (value) => this.show(value, level)))
  }

  #mapEntries (map, level) {
    return this.#within(2, () => this.#limited(map, map.size, ([key, value]) =>
      `${this.show(key, level)} => ${this.show(value, level)}`))
  }

  #limited (items, size, show) {
    const limit = this.options.maxArrayLength ?? Infinity
    const shown = []
    for (const item of items) {
      if (shown.length >= limit) return [...shown, more(size - limit)]
      shown.push(show(item))
    }
    return shown
  }

  #memory (memory, level) {
    const bytes = new Uint8Array(memory)
    const limit = this.options.maxArrayLength ?? Infinity
    const hex = Array.from(bytes.subarray(0, limit), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const left = bytes.length - limit
    const rest = left > 0 ? ` ... ${left} more byte${left > 1 ? 's' : ''}` : ''
    const contents = `${this.style('[Uint8Contents]', 'special')}: <${hex}${rest}>`
    return [contents, `byteLength: ${this.#nested(bytes.length, level)}`]
  }

  #within (columns, show) {
    this.#indentation += columns
    const shown = show()
    this.#indentation -= columns
    return shown
  }

  #nested (value, level) {
    return this.#within(2, () => this.show(value, level, true))
  }

  #property (object, key, level, inArray) {
    const descriptor = Object.getOwnPropertyDescriptor(object, key) ?? { value: object[key], enumerable: true }
    const indentation = this.options.compact !== true || inArray ? 2 : 3
    let text = 'value' in descriptor
      ? this.#within(indentation, () => this.show(descriptor.value, level, true))
      : this.#accessor(object, key, descriptor, level)
    if (indentation === 3 && uncolored(text).length > this.options.breakLength) {
      text = `\n${' '.repeat(this.#indentation + 3)}${text}`
    }
    const name = descriptor.enumerable === false ? `[${key.toString()}]` : this.#key(key)
    return text[0] === '\n' ? `${name}:${text}` : `${name}: ${text}`
  }

  #key (key) {
    const name = keyName(key)
    if (typeof key === 'symbol') return `[${this.style(name.slice(1, -1), 'symbol')}]`
    return name[0] === "'" || name[0] === '"' ? this.style(name, 'string') : name
  }

  #accessor (object, key, { get, set }, level) {
    const kind = get ? set ? 'Getter/Setter' : 'Getter' : set ? 'Setter' : undefined
    if (kind === undefined) return this.style('undefined', 'undefined')
    const { getters } = this.options
    const wanted = get && (getters === true || (getters === 'get' && !set) || (getters === 'set' && set))
    if (!wanted) return this.style(`[${kind}]`, 'special')
    try {
      const value = get.call(object)
      const shown = this.#within(2, () => this.show(value, level, true))
      return typeof value === 'object' && value !== null
        ? `${this.style(`[${kind}]`, 'special')} ${shown}`
        : `${this.style(`[${kind}:`, 'special')} ${shown}${this.style(']', 'special')}`
    } catch (error) {
      return `${this.style(`[${kind}: <Inspection threw (${error?.message ?? String(error)})>]`, 'special')}`
    }
  }
}

const none = () => []
const more = (count) => `... ${count} more item${count > 1 ? 's' : ''}`

/**
 * Any value as text that people can read.
 * @param {object} [options] as in Node.js: `depth`, `colors`, `compact`, `breakLength`, `sorted`, ...
 */
export function inspect (value, options, depth, colors) {
  let given = options
  if (typeof options === 'boolean') given = { showHidden: options, depth: depth ?? 2, colors: colors ?? false }
  return new Inspector({ ...DEFAULTS, ...inspect.defaultOptions, ...given }).show(value, 0)
}

inspect.custom = custom
inspect.defaultOptions = { ...DEFAULTS }

/** `%s %d %i %f %j %o %O %c %%` filled in; what is left over follows. */
export function format (...values) {
  return formatWithOptions({}, ...values)
}

export function formatWithOptions (options, ...values) {
  let text = ''
  let next = 0
  if (typeof values[0] === 'string') {
    next = 1
    text = values.length === 1 ? values[0] : values[0].replace(/%([sdifjoOc%])/g, (match, kind) => {
      if (kind === '%') return '%'
      if (next >= values.length) return match
      return directive(kind, values[next++], options)
    })
  }
  const rest = values.slice(next)
    .map((value) => typeof value === 'string' ? value : inspect(value, { ...options, compact: 3 }))
  return next === 0 ? rest.join(' ') : [text, ...rest].join(' ')
}

function directive (kind, value, options) {
  switch (kind) {
    case 's': return asText(value, options)
    case 'd': return asNumber(value, Number)
    case 'i': return asNumber(value, (one) => typeof one === 'bigint' ? one : parseInt(one))
    case 'f': return typeof value === 'symbol' ? 'NaN' : number(parseFloat(value))
    case 'j': return asJson(value)
    case 'o': return inspect(value, { ...options, showHidden: true, depth: 4 })
    case 'O': return inspect(value, options)
    default: return '' // %c: a style for browsers
  }
}

function asText (value, options) {
  if (typeof value === 'number') return number(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null || hasOwnText(value)) return String(value)
  return inspect(value, { ...options, depth: 0, colors: false, compact: 3 })
}

/** Did somebody write a `toString` for this? */
function hasOwnText (value) {
  const { toString } = value
  if (typeof toString !== 'function' || toString === Object.prototype.toString) return false
  if (value instanceof Error) return false
  if (Object.hasOwn(value, 'toString')) return true
  if (ArrayBuffer.isView(value)) return false
  return ![Array, Date, RegExp, Map, Set].some((Kind) => toString === Kind.prototype.toString)
}

function asNumber (value, convert) {
  if (typeof value === 'bigint') return `${value}n`
  const none = typeof value === 'symbol' || (typeof value === 'object' && convert !== Number)
  return number(none ? NaN : convert(value))
}

function asJson (value) {
  try {
    return JSON.stringify(value) ?? 'undefined'
  } catch (error) {
    if (/circular|cyclic/i.test(error.message)) return '[Circular]'
    throw error
  }
}
