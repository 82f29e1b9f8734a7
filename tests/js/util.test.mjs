import './support/globals.mjs'
import test from 'node:test'
import assert from 'node:assert/strict'
import nodeUtil from 'node:util'
import { agree, outcome } from './support/oracle.mjs'
import { Random } from './support/random.mjs'
import { load } from './support/modules.mjs'

const { default: util } = await load('util')

class Plain { constructor () { this.x = 1 } }
class Child extends Plain { get y () { return 1 } }
class Tagged { get [Symbol.toStringTag] () { return 'tagged' } }
class List extends Array {}
class Table extends Map {}
const circle = { a: 1 }
circle.self = circle
circle.inner = { circle }
const bare = Object.assign(Object.create(null), { a: 1 })
const failure = Object.assign(new TypeError('boom'), { code: 'E',
  stack: 'TypeError: boom\n    at somewhere (file.js:1:2)' })
const stackless = Object.assign(new Error('quiet'), { stack: undefined })
const own = { [util.inspect.custom]: (depth) => `own ${depth}` }
const named = Object.assign(function foo () {}, { a: 1 })
const range = (size, make) => Array.from({ length: size }, (_, i) => make(i))
const wide = Object.fromEntries(range(30, (i) => [`key${i}`, i]))

const VALUES = [
  undefined, null, 1, -0, 1.5, NaN, 10n, 12345678.125, 'a', "it's", 'a"\'b', 'a"\'`b', 'line\nbreak\u0001\x7f\ud800',
    '', Symbol('s'), true,
  [], {}, [1, 2, 3], [[1], [[2]], [[[3, [4]]]]], { a: 1, b: 'x' },
    { 'a-b': 1, 1: 2, [Symbol('q')]: 3, __proto__: null }, new Map([[1, { a: 2 }], ['k', [1, 2]]]),
  new Set([1, 'a', { b: 1 }]), new Map(), new Set(), () => {}, named, class {}, class Q extends Plain {},
    async () => {}, function * g () {},
  new Plain(), new Child(), new Tagged(), bare, circle, failure, stackless, [failure], new Date(0), new Date(NaN),
    /x/gi, [1, , 3, , , 6], // eslint-disable-line no-sparse-arrays
  Object.assign([1, 2], { k: 'v' }), range(150, (i) => i * 7), range(30, (i) => 'item' + i ** 3),
    { a: { b: { c: { d: 1 } } } }, wide, new Uint8Array([1, 2, 3]),
  new Float32Array(3), new ArrayBuffer(4), new DataView(new ArrayBuffer(2)), Object(1), Object('str'), Object(true),
    Object(Symbol('z')), Object(1n), new URL('http://a/b'),
  new WeakMap(), { get a () { return 1 }, set a (v) {}, get b () { return 2 }, set c (v) {} }, 'x'.repeat(300),
    ['x'.repeat(300)],
  { a: 'line1\nline2 and much more text, to pass the limit of a line that is wide '.repeat(3) },
    range(120, (i) => ({ i })), [1.5, 22.25, 333, 4, 5, 6, 7, 8],
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], [true, false, null, undefined, true, false, null], Array(200),
    { a: [1, 2, 3, { b: [1, 2, { c: 3 }] }] },
  (function () { return arguments })(1, 2), new List(1, 2, 3), new Table([[1, 2]]), { f () {}, g: () => 1 },
    new Set(range(120, (i) => i)), [wide, wide], own, { own }, Object.assign(new Map([[1, 2]]), { x: 1 })
]
const OPTIONS = [
  undefined, { depth: 0 }, { depth: null }, { depth: 5 }, { compact: true }, { compact: false }, { compact: 1 },
    { breakLength: 40 }, { breakLength: Infinity }, { colors: true }, { sorted: true },
  { maxArrayLength: 3 }, { maxStringLength: 5 }, { getters: true }, { customInspect: false }
]

test('inspect: the same as Node.js', () => {
  for (const [i, value] of VALUES.entries()) {
    for (const options of OPTIONS) {
      assert.equal(util.inspect(value, options), nodeUtil.inspect(value, options),
        `value ${i}, ${JSON.stringify(options)}`)
    }
  }
  for (const value of [1234567, -1234.5678, 123456789n, 0.00001, [1e21, 1000]]) {
    assert.equal(util.inspect(value, { numericSeparator: true }), nodeUtil.inspect(value, { numericSeparator: true }))
  }
})

test('inspect: random trees', () => {
  const random = new Random(23)
  const leaf = () => random.pick([1, 'text', 'a longer text of some words', null, undefined, true, -3.5, 7n, []])
  const tree = (depth) => {
    const size = random.below(9)
    if (depth === 0) return leaf()
    switch (random.below(5)) {
      case 0: return range(size, () => tree(depth - 1))
      case 1: return new Map(range(size % 4, (i) => [`k${i}`, tree(depth - 1)]))
      case 2: return new Set(range(size % 4, () => tree(depth - 1)))
      case 3: return leaf()
      default: return Object.fromEntries(range(size, (i) => [random.pick(['a', 'long name', 'key']) + i,
        tree(depth - 1)]))
    }
  }
  for (let round = 0; round < 2000; round++) {
    const value = tree(random.below(5))
    for (const options of [undefined, { depth: null, compact: random.below(5), breakLength: 20 + random.below(100) }]) {
      assert.equal(util.inspect(value, options), nodeUtil.inspect(value, options), `round ${round}`)
    }
  }
})

test('format: the same as Node.js', () => {
  const calls = [
    ['%s', 1], ['%s %d', 1n, '42'], ['%i', 3.7, 'x'], ['%j', { a: 1 }], ['%o', [1]], ['%O', circle], ['%c x', 'css'],
      ['%%', 1], ['%%'], ['%s', Symbol('a')], ['%s', { a: { b: {} } }],
    ['%s', [1, [2]]], ['a', 'b', 1, { c: 2 }], [1, 2, '3'], ['%d', {}], ['%d', 'x'], ['%f', '1.5x'], ['%s', -0],
      ['%d', -0], ['%s', null, undefined], ['%x', 1], ['100%', 1], ['%s', new Date(0)],
    ['%j', circle], ['%s', new Plain()], ['%s', { toString: () => 'own' }], [], [''], ['%s'], ['%i', 10n],
      ['%s', 'a', 'b'], ['%d', Symbol('x')], ['%i', {}], [{ a: 1 }, 'x'], ['%s', () => 1]
  ]
  for (const values of calls) assert.equal(util.format(...values), nodeUtil.format(...values),
    JSON.stringify(String(values[0])))
  assert.equal(util.formatWithOptions({ colors: true }, '%s %O', 'a', { b: 1 }),
    nodeUtil.formatWithOptions({ colors: true }, '%s %O', 'a', { b: 1 }))
})

test('isDeepStrictEqual: the same as Node.js', () => {
  const values = [
    ...VALUES.filter((value) => value !== undefined), [1, 2], [1, 2, , ], { a: undefined }, {},
      new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 2]]), new Set([{ a: 1 }, 2]), new Set([2, { a: 1 }]),
      // eslint-disable-line no-sparse-arrays
    new Date(0), new Date(1), /x/g, /x/gi, new Error('a'), new Error('b'), new RangeError('a'), 0, -0, NaN, Object(0),
      Object(1), new Uint8Array([1, 2]), new Uint8Array([1, 3]),
    new Int8Array([1, 2]), new Float64Array([NaN]), new Float64Array([NaN]), new ArrayBuffer(2), new ArrayBuffer(3),
      { [Symbol.for('x')]: 1 }, { [Symbol.for('x')]: 2 }, Object.create({ a: 1 }), [[circle]]
  ]
  const copies = [{ a: [1, { b: new Map([[1, new Set([2])]]) }] },
    structuredClone({ a: [1, { b: new Map([[1, new Set([2])]]) }] })]
  assert.equal(util.isDeepStrictEqual(...copies), true)
  for (const [i, a] of values.entries()) {
    for (const [j, b] of values.entries()) {
      assert.deepEqual(outcome(() => util.isDeepStrictEqual(a, b)), outcome(() => nodeUtil.isDeepStrictEqual(a, b)),
        `${i} ${j} ${nodeUtil.inspect(a)} ${nodeUtil.inspect(b)}`)
    }
  }
})

test('types: the same as Node.js', () => {
  const values = [...VALUES, (function * () {})(), new Map().keys(), new Set().values(), Promise.resolve(),
    new WeakSet(), async function * () {}, new SharedArrayBuffer(1), { [Symbol.toStringTag]: 'Date' },
    Object.create(Map.prototype), Map.prototype]
  const missing = Object.keys(nodeUtil.types).filter((name) => !(name in util.types))
  assert.deepEqual(missing.sort(), ['isCryptoKey', 'isEventTarget', 'isExternal', 'isKeyObject',
    'isProxy'].filter((name) => missing.includes(name)))
  for (const [name, is] of Object.entries(util.types)) {
    for (const value of values) assert.equal(is(value), nodeUtil.types[name](value),
      `${name} ${nodeUtil.inspect(value)}`)
  }
})

test('promisify and callbackify', async () => {
  const wait = function (value, callback) { queueMicrotask(() =>
    callback(value instanceof Error ? value : null, value)) }
  assert.equal(await util.promisify(wait)(5), 5)
  await assert.rejects(util.promisify(wait)(new RangeError('no')), RangeError)
  const special = () => {}
  special[util.promisify.custom] = async () => 'own'
  assert.equal(await util.promisify(special)(), 'own')
  assert.equal(util.promisify.custom, nodeUtil.promisify.custom)
  const called = (fn, ...args) => new Promise((resolve) => util.callbackify(fn)(...args, (...values) =>
    resolve(values)))
  assert.deepEqual(await called(async (a) => a + 1, 1), [null, 2])
  const [error] = await called(async () => { throw null }) // eslint-disable-line no-throw-literal
  assert.equal(error.code, 'ERR_FALSY_VALUE_REJECTION')
  assert.equal(util.callbackify(async function named (a, b) {}).name, 'namedCallbackified')
  assert.equal(util.callbackify(async function named (a, b) {}).length, 3)
  for (const wrong of [undefined, 5, {}]) {
    agree('promisify', () => util.promisify(wrong), () => nodeUtil.promisify(wrong))
    agree('callbackify', () => util.callbackify(wrong), () => nodeUtil.callbackify(wrong))
  }
})

test('the rest', () => {
  function Old () {}
  util.inherits(Old, Plain)
  assert.ok(new Old() instanceof Plain && Old.super_ === Plain)
  assert.throws(() => util.inherits(Old, null), { code: 'ERR_INVALID_ARG_TYPE' })
  const warnings = []
  console.warn = (text) => warnings.push(text)
  const old = util.deprecate((a) => a * 2, 'use new', 'DEP1')
  const other = util.deprecate(() => 1, 'use new', 'DEP1')
  assert.deepEqual([old(2), old(3), other()], [4, 6, 1])
  assert.deepEqual(warnings, ['[DEP1] DeprecationWarning: use new'])
  const Kind = util.deprecate(Plain, 'no')
  assert.ok(new Kind() instanceof Plain)
  const log = util.debuglog('part')
  assert.equal(log.enabled, false)
  log('nothing')
  const text = '\u001b[31mred\u001b[39m and \u001b]8;;x\u0007link'
  assert.equal(util.stripVTControlCharacters('\u001b[31mred\u001b[39m'),
    nodeUtil.stripVTControlCharacters('\u001b[31mred\u001b[39m'))
  assert.ok(!util.stripVTControlCharacters(text).includes('[31m'))
  assert.equal(util.toUSVString('a\ud800b😀'), nodeUtil.toUSVString('a\ud800b😀'))
  assert.equal(util.TextEncoder, TextEncoder)
})
