/** Node.js's EventEmitter, and the web's events beside it. */
import { eventTargetOn, eventTargetOnce, iterate } from './events/_targets.js'

export const { Event, EventTarget, CustomEvent = class CustomEvent extends Event {
  constructor (type, options) {
    super(type, options)
    this.detail = options?.detail ?? null
  }
} } = globalThis

/** Listeners of this event see errors, and do not count as handling them. */
export const errorMonitor = Symbol('events.errorMonitor')

let defaultMaxListeners = 10

/** Built by `new`, by `extends`, or by `EventEmitter.call(this)` as old code does. */
export function EventEmitter () {
  EventEmitter.init.call(this)
}

EventEmitter.init = function () {
  if (!Object.hasOwn(this, '_events') || this._events === undefined) {
    this._events = Object.create(null)
    this._eventsCount = 0
  }
  this._maxListeners ??= undefined
}

EventEmitter.prototype._events = undefined
EventEmitter.prototype._eventsCount = 0
EventEmitter.prototype._maxListeners = undefined

function typed (Kind, message, code) {
  const error = new Kind(message)
  error.code = code
  return error
}

function checkListener (listener) {
  if (typeof listener === 'function') return
  throw typed(TypeError,
    `The "listener" argument must be of type Function. Received type ${typeof listener}`, 'ERR_INVALID_ARG_TYPE')
}

function checkCount (count, name) {
  if (typeof count === 'number' && count >= 0) return
  throw typed(RangeError,
    `The value of "${name}" is out of range. It must be a non-negative number. Received ${String(count)}`,
    'ERR_OUT_OF_RANGE')
}

/** The listeners of `name` as an array; `undefined` when there are none. */
function listenersOf (emitter, name) {
  const found = emitter._events?.[name]
  return typeof found === 'function' ? [found] : found
}

function add (emitter, name, listener, first) {
  checkListener(listener)
  if (emitter._events === undefined) EventEmitter.init.call(emitter)
  if (emitter._events.newListener !== undefined) emitter.emit('newListener', name, listener.listener ?? listener)
  const events = emitter._events // a listener of 'newListener' may have replaced it
  const present = events[name]
  if (present === undefined) {
    events[name] = listener // one listener needs no array
    emitter._eventsCount++
    return emitter
  }
  const listeners = typeof present === 'function' ? [present] : present
  if (first) listeners.unshift(listener)
  else listeners.push(listener)
  events[name] = listeners
  warnOfMany(emitter, name, listeners)
  return emitter
}

function warnOfMany (emitter, name, listeners) {
  const limit = emitter.getMaxListeners()
  if (limit === 0 || listeners.length <= limit || listeners.warned) return
  listeners.warned = true
  const warning = new Error('Possible EventEmitter memory leak detected. ' +
    `${listeners.length} ${String(name)} listeners added. Use emitter.setMaxListeners() to increase limit`)
  warning.name = 'MaxListenersExceededWarning'
  warning.emitter = emitter
  warning.type = name
  warning.count = listeners.length
  globalThis.console?.warn(warning)
}

/** `listener`, made to remove itself before its first call. */
function wrapOnce (emitter, name, listener) {
  checkListener(listener)
  let fired = false
  const wrapped = function (...values) {
    if (fired) return
    fired = true
    emitter.removeListener(name, wrapped)
    return listener.apply(emitter, values)
  }
  wrapped.listener = listener
  return wrapped
}

function unhandled (emitter, values) {
  const [error] = values
  if (error instanceof Error) return error
  const failure = new Error(`Unhandled error. (${describe(error)})`)
  failure.code = 'ERR_UNHANDLED_ERROR'
  failure.context = error
  return failure
}

function describe (value) {
  if (typeof value === 'string') return `'${value}'`
  return value?.message ?? String(value)
}

const methods = {
  emit (name, ...values) {
    if (name === 'error') {
      if (this._events?.[errorMonitor] !== undefined) this.emit(errorMonitor, ...values)
      if (this._events?.error === undefined) throw unhandled(this, values)
    }
    const listeners = this._events?.[name]
    if (listeners === undefined) return false
    if (typeof listeners === 'function') {
      listeners.apply(this, values)
    } else {
      for (const listener of listeners.slice()) listener.apply(this, values)
    }
    return true
  },

  addListener (name, listener) {
    return add(this, name, listener, false)
  },

  prependListener (name, listener) {
    return add(this, name, listener, true)
  },

  once (name, listener) {
    return this.on(name, wrapOnce(this, name, listener))
  },

  prependOnceListener (name, listener) {
    return this.prependListener(name, wrapOnce(this, name, listener))
  },

  removeListener (name, listener) {
    checkListener(listener)
    const alone = typeof this._events?.[name] === 'function'
    const listeners = listenersOf(this, name)
    const at = listeners?.findLastIndex((one) => one === listener || one.listener === listener) ?? -1
    if (at === -1) return this
    const [removed] = listeners.splice(at, 1)
    if (listeners.length === 0) forget(this, name)
    else if (listeners.length === 1) this._events[name] = listeners[0]
    if (this._events.removeListener !== undefined) {
      this.emit('removeListener', name, alone ? removed.listener ?? listener : listener)
    }
    return this
  },

  removeAllListeners (name) {
    if (this._events === undefined) return this
    if (this._events.removeListener === undefined) {
      if (arguments.length === 0) EventEmitter.init.call(Object.assign(this, { _events: undefined }))
      else forget(this, name)
      return this
    }
    if (arguments.length === 0) {
      for (const each of Reflect.ownKeys(this._events)) {
        if (each !== 'removeListener') this.removeAllListeners(each)
      }
      this.removeAllListeners('removeListener')
      return EventEmitter.init.call(Object.assign(this, { _events: undefined })) ?? this
    }
    for (const listener of (listenersOf(this, name) ?? []).slice().reverse()) this.removeListener(name, listener)
    return this
  },

  listeners (name) {
    return (listenersOf(this, name) ?? []).map((one) => one.listener ?? one)
  },

  rawListeners (name) {
    return (listenersOf(this, name) ?? []).slice()
  },

  listenerCount (name, listener) {
    const listeners = listenersOf(this, name) ?? []
    if (listener === undefined) return listeners.length
    return listeners.filter((one) => one === listener || one.listener === listener).length
  },

  eventNames () {
    return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : []
  },

  setMaxListeners (count) {
    checkCount(count, 'n')
    this._maxListeners = count
    return this
  },

  getMaxListeners () {
    return this._maxListeners ?? defaultMaxListeners
  }
}

function forget (emitter, name) {
  if (emitter._events[name] === undefined) return
  delete emitter._events[name]
  emitter._eventsCount--
}

for (const [name, method] of Object.entries(methods)) {
  Object.defineProperty(EventEmitter.prototype, name, {
    value: method, writable: true, configurable: true, enumerable: true
  })
}
EventEmitter.prototype.on = methods.addListener
EventEmitter.prototype.off = methods.removeListener

Object.defineProperty(EventEmitter, 'defaultMaxListeners', {
  enumerable: true,
  get: () => defaultMaxListeners,
  set (count) {
    checkCount(count, 'defaultMaxListeners')
    defaultMaxListeners = count
  }
})

/** How many listeners an emitter has for an event. */
export function listenerCount (emitter, name) {
  if (typeof emitter.listenerCount === 'function') return emitter.listenerCount(name)
  return methods.listenerCount.call(emitter, name)
}

/** The listeners of an emitter. */
export function getEventListeners (emitter, name) {
  if (typeof emitter.listeners === 'function') return emitter.listeners(name)
  throw typed(TypeError, "An EventTarget's listeners cannot be listed here", 'ERR_INVALID_ARG_TYPE')
}

/** The limit of several emitters at once; of all later ones without any. */
export function setMaxListeners (count = defaultMaxListeners, ...emitters) {
  if (emitters.length === 0) EventEmitter.defaultMaxListeners = count
  for (const emitter of emitters) emitter.setMaxListeners(count)
}

function aborted (signal) {
  const error = new Error('The operation was aborted', { cause: signal.reason })
  error.name = 'AbortError'
  error.code = 'ABORT_ERR'
  return error
}

/**
 * The next event, as a promise of the array of its values.
 * @param {EventEmitter | EventTarget} emitter
 * @param {string | symbol} name
 * @param {{signal?: AbortSignal}} [options]
 */
export function once (emitter, name, options = {}) {
  const { signal } = options
  if (signal?.aborted) return Promise.reject(aborted(signal))
  return new Promise((resolve, reject) => {
    const stops = []
    const settle = (end) => (value) => {
      for (const stop of stops) stop()
      end(value)
    }
    if (typeof emitter.on === 'function') {
      const done = (...values) => settle(resolve)(values)
      emitter.once(name, done)
      stops.push(() => emitter.removeListener(name, done))
      if (name !== 'error') {
        const failed = settle(reject)
        emitter.once('error', failed)
        stops.push(() => emitter.removeListener('error', failed))
      }
    } else {
      const stop = eventTargetOnce(emitter, name, (event) => {
        stops.splice(stops.indexOf(stop), 1) // it has stopped by itself
        settle(resolve)([event])
      })
      stops.push(stop)
    }
    if (signal) stops.push(eventTargetOnce(signal, 'abort', () => settle(reject)(aborted(signal))))
  })
}

/**
 * All coming events, as an async iterator of the arrays of their values.
 * @param {EventEmitter | EventTarget} emitter
 * @param {string | symbol} name
 * @param {{signal?: AbortSignal, close?: string[]}} [options]
 */
export function on (emitter, name, options = {}) {
  const { signal, close = [] } = options
  if (signal?.aborted) throw aborted(signal)
  return iterate(({ push, fail, end }) => {
    const stops = []
    const listen = (event, listener) => {
      if (typeof emitter.on !== 'function') return stops.push(eventTargetOn(emitter, event, listener))
      emitter.on(event, listener)
      stops.push(() => emitter.removeListener(event, listener))
    }
    listen(name, (...values) => push(values))
    if (typeof emitter.on === 'function' && name !== 'error') listen('error', fail)
    for (const event of close) listen(event, end)
    if (signal) stops.push(eventTargetOnce(signal, 'abort', () => fail(aborted(signal))))
    return () => { for (const stop of stops) stop() }
  })
}

Object.assign(EventEmitter, { EventEmitter, errorMonitor, getEventListeners, listenerCount, on, once, setMaxListeners })

export { defaultMaxListeners }
export default EventEmitter
