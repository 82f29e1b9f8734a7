// A hostile script that runs before all others of the page: it replaces every function that scripts can
// replace by one that looks at all it is given. Whatever looks like a token (32 hexadecimal digits) is kept.
(function () {
  'use strict'
  const real = {
    apply: Reflect.apply, construct: Reflect.construct, ownKeys: Reflect.ownKeys, get: Reflect.get,
    define: Object.defineProperty, describe: Object.getOwnPropertyDescriptor, proto: Object.getPrototypeOf,
    stringify: JSON.stringify, log: console.log, setTimeout: globalThis.setTimeout.bind(globalThis), Promise: globalThis.Promise, String: globalThis.String
  }
  const test = RegExp.prototype.test
  const exec = RegExp.prototype.exec
  const isToken = /[0-9a-f]{32}/i
  const seen = {}
  let looking = false

  /** Look at a value, and what it holds, for a token. */
  function look (value, where, depth) {
    if (typeof value === 'string') {
      if (value.length < 5000) {
        const found = real.apply(exec, isToken, [value])
        if (found) {
          seen[where] ??= []
          if (seen[where].length < 20) seen[where][seen[where].length] = found[0]
        }
      }
      return
    }
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || depth > 3) return
    let keys
    try { keys = real.ownKeys(value) } catch { return }
    for (let i = 0; i < keys.length && i < 60; i++) {
      const key = keys[i]
      if (typeof key === 'string') look(key, where, depth)
      try {
        const property = real.describe(value, key)
        if (property && 'value' in property) look(property.value, where, depth + 1)
      } catch {}
    }
  }

  function spy (self, args, where) {
    if (looking) return
    looking = true
    try {
      look(self, where, 1)
      for (let i = 0; i < args.length; i++) look(args[i], where, 0)
    } finally {
      looking = false
    }
  }

  function replaceFunction (owner, key, property, where) {
    const original = property.value
    const replacement = {
      [typeof key === 'symbol' ? 'symbol' : key] () {
        spy(this, arguments, where)
        return real.apply(original, this, arguments)
      }
    }[typeof key === 'symbol' ? 'symbol' : key]
    try {
      real.define(replacement, 'prototype', { value: original.prototype })
    } catch {}
    real.define(owner, key, { ...property, value: replacement })
  }

  function replaceAccessor (owner, key, property, where) {
    real.define(owner, key, {
      ...property,
      get: property.get && function () {
        spy(this, [], where)
        return real.apply(property.get, this, [])
      },
      set: property.set && function (value) {
        spy(this, [value], where)
        return real.apply(property.set, this, [value])
      }
    })
  }

  const names = [
    'Array', 'ArrayBuffer', 'Uint8Array', 'Blob', 'CustomEvent', 'DOMException', 'Error', 'FormData', 'Headers', 'Map',
    'Object', 'Promise', 'ReadableStream', 'Request', 'Response', 'String', 'TextEncoder', 'TypeError', 'URL', 'WeakMap',
    'XMLHttpRequest', 'Function', 'Set', 'RegExp', 'Number', 'EventTarget', 'Document', 'HTMLElement',
    'AbortController', 'AbortSignal', 'File', 'HTMLInputElement', 'Symbol', 'Reflect', 'JSON', 'console', 'crypto', 'Math'
  ]
  const skip = new Set(['constructor', 'prototype', 'caller', 'callee', 'arguments', 'toString', 'hasInstance'])
  let replaced = 0
  const iterators = [[][Symbol.iterator](), new Map()[Symbol.iterator](), ''[Symbol.iterator](), new Headers().entries()]
  const owners = []
  for (const name of names) {
    const object = globalThis[name]
    if (!object) continue
    owners.push([object, name])
    if (object.prototype) owners.push([object.prototype, name + '.prototype'])
  }
  for (const iterator of iterators) owners.push([real.proto(iterator), 'iterator'])
  owners.push([real.proto(real.proto(new Uint8Array())), 'TypedArray.prototype'])
  const work = []
  for (const [owner, name] of owners) {
    for (const key of real.ownKeys(owner)) {
      if (skip.has(typeof key === 'symbol' ? key.description.replace('Symbol.', '') : key)) continue
      const property = real.describe(owner, key)
      if (property.configurable) work.push([owner, key, property, `${name}.${String(key)}`])
    }
  }
  for (const [owner, key, property, where] of work) {
    try {
      if (typeof property.value === 'function') replaceFunction(owner, key, property, where)
      else if (property.get || property.set) replaceAccessor(owner, key, property, where)
      else continue
      replaced++
    } catch {}
  }
  // names that code may look up in plain objects
  for (const key of ['socket-token', 'Socket-Token', 'headers', 'method', 'body', 'signal', 'get', 'set', 'value', 'then',
    'mode', 'credentials', 'cache', 'redirect', 'referrer', 'keepalive', 'window', 'duplex', 'sync']) {
    let kept
    try {
      real.define(Object.prototype, key, {
        configurable: true,
        get () {
          spy(this, [], `get ${key}`)
          return kept
        },
        set (value) {
          spy(this, [value], `set ${key}`)
          if (this !== Object.prototype) real.define(this, key, { value, writable: true, enumerable: true, configurable: true })
        }
      })
    } catch {}
  }
  globalThis.hostile = { seen, real, replaced }
})()
