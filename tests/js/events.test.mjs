import test from 'node:test'
import assert from 'node:assert/strict'
import nodeEvents from 'node:events'
import { Random } from './support/random.mjs'
import { load } from './support/modules.mjs'

const { default: EventEmitter, ...events } = await load('events')

process.removeAllListeners('warning')
console.warn = () => {} // about many listeners

/** Do random things to an emitter and tell all that can be seen of it. */
function play (Emitter, seed) {
  const random = new Random(seed)
  const seen = []
  const emitter = new Emitter()
  const names = ['a', 'b', 'error', Symbol.for('s')]
  const listeners = Array.from({ length: 4 }, (_, i) => function (...values) {
    seen.push([i, this === emitter, ...values])
    if (i === 3) emitter.removeListener('a', listeners[0])
  })
  emitter.on('newListener', (name) => seen.push(['new', String(name)]))
  if (seed % 2) emitter.on('removeListener', (name, listener) =>
    seen.push(['removed', String(name), listeners.indexOf(listener)]))
  const actions = [
    () => emitter.on(random.pick(names), random.pick(listeners)),
    () => emitter.once(random.pick(names), random.pick(listeners)),
    () => emitter.prependListener(random.pick(names), random.pick(listeners)),
    () => emitter.prependOnceListener(random.pick(names), random.pick(listeners)),
    () => emitter.off(random.pick(names), random.pick(listeners)),
    () => emitter.emit(random.pick(names), random.below(9), 'x'),
    () => emitter.removeAllListeners(random.pick(names)),
    () => random.below(20) === 0 && emitter.removeAllListeners(),
    () => emitter.on(random.pick([Emitter.errorMonitor, 'b']), random.pick(listeners))
  ]
  for (let step = 0; step < 60; step++) {
    let result
    try {
      result = random.pick(actions)()
    } catch (error) {
      result = `${error.name} ${error.code} ${error.context}`
    }
    seen.push(result === emitter ? 'this' : result)
    for (const name of names) {
      seen.push(emitter.listenerCount(name), emitter.listenerCount(name, listeners[0]),
        emitter.listeners(name).map((one) => listeners.indexOf(one)), emitter.rawListeners(name).length)
    }
    seen.push(emitter.eventNames().map(String))
  }
  return seen
}

test('random play: the same as Node.js', () => {
  for (let seed = 0; seed < 500; seed++) assert.deepEqual(play(EventEmitter, seed), play(nodeEvents, seed),
    `seed ${seed}`)
})

test('wrong arguments', () => {
  for (const wrong of [undefined, null, 5, 'x', {}]) {
    for (const method of ['on', 'once', 'off', 'prependListener']) {
      assert.throws(() => new EventEmitter()[method]('a', wrong), { code: 'ERR_INVALID_ARG_TYPE' })
    }
  }
  for (const wrong of [-1, NaN, '5', undefined]) {
    assert.throws(() => new EventEmitter().setMaxListeners(wrong), { code: 'ERR_OUT_OF_RANGE' })
  }
  assert.throws(() => { EventEmitter.defaultMaxListeners = -1 }, { code: 'ERR_OUT_OF_RANGE' })
  assert.throws(() => new EventEmitter().emit('error', 'text'),
    { code: 'ERR_UNHANDLED_ERROR', message: "Unhandled error. ('text')" })
  assert.throws(() => new EventEmitter().emit('error', new RangeError('own')), RangeError)
})

test('old ways of inheriting', () => {
  function Old () { EventEmitter.call(this) }
  Object.setPrototypeOf(Old.prototype, EventEmitter.prototype)
  const old = new Old()
  let heard = 0
  old.on('x', () => heard++)
  old.emit('x')
  assert.equal(heard, 1)
  const mixed = Object.assign({}, EventEmitter.prototype)
  mixed.on('x', () => heard++)
  mixed.emit('x')
  assert.equal(heard, 2)
})

test('once, as a promise', async () => {
  const emitter = new EventEmitter()
  const next = events.once(emitter, 'x')
  emitter.emit('x', 1, 2)
  assert.deepEqual(await next, [1, 2])
  const failed = events.once(emitter, 'x')
  emitter.emit('error', new Error('no'))
  await assert.rejects(failed, /no/)
  assert.deepEqual(emitter.eventNames(), [])
  const controller = new AbortController()
  const given = events.once(emitter, 'x', { signal: controller.signal })
  controller.abort()
  await assert.rejects(given, { name: 'AbortError', code: 'ABORT_ERR' })
  await assert.rejects(events.once(emitter, 'x', { signal: AbortSignal.abort() }), { name: 'AbortError' })
  const target = new EventTarget()
  const event = events.once(target, 'y')
  target.dispatchEvent(new Event('y'))
  assert.equal((await event)[0].type, 'y')
  await assert.rejects(async () => events.once({}, 'z'), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.deepEqual(emitter.eventNames(), [])
})

test('on, as an async iterator', async () => {
  const emitter = new EventEmitter()
  const iterator = events.on(emitter, 'x', { close: ['end'] })
  emitter.emit('x', 1)
  emitter.emit('x', 2)
  assert.deepEqual(await iterator.next(), { value: [1], done: false })
  const waiting = [iterator.next(), iterator.next()]
  emitter.emit('x', 3)
  emitter.emit('end')
  assert.deepEqual(await Promise.all(waiting), [{ value: [2], done: false }, { value: [3], done: false }])
  assert.deepEqual(await iterator.next(), { value: undefined, done: true })
  assert.deepEqual(emitter.eventNames(), [])

  const failing = events.on(emitter, 'x')
  emitter.emit('x', 1)
  emitter.emit('error', new Error('no'))
  assert.deepEqual((await failing.next()).value, [1])
  await assert.rejects(failing.next(), /no/)
  assert.equal((await failing.next()).done, true)

  const controller = new AbortController()
  const target = new EventTarget()
  const aborted = events.on(target, 'y', { signal: controller.signal })
  const pending = aborted.next()
  controller.abort()
  await assert.rejects(pending, { name: 'AbortError' })
  const left = events.on(emitter, 'z')
  await left.return()
  assert.deepEqual(emitter.eventNames(), [])
})

test('beside the class', () => {
  const emitter = new EventEmitter().on('x', () => {})
  assert.equal(events.listenerCount(emitter, 'x'), 1)
  assert.equal(events.getEventListeners(emitter, 'x').length, 1)
  events.setMaxListeners(3, emitter)
  assert.equal(emitter.getMaxListeners(), 3)
  assert.equal(new EventEmitter().getMaxListeners(), 10)
  assert.equal(events.CustomEvent, CustomEvent)
  assert.equal(EventEmitter.EventEmitter, EventEmitter)
})

test('many listeners are warned of, once', () => {
  const warnings = []
  console.warn = (warning) => warnings.push(warning)
  const emitter = new EventEmitter()
  for (let i = 0; i < 15; i++) emitter.on('x', () => {})
  assert.equal(warnings.length, 1)
  assert.deepEqual([warnings[0].name, warnings[0].count, warnings[0].type], ['MaxListenersExceededWarning', 11, 'x'])
})
