import { runtime } from '../_runtime.js'

const listeners = new Map()
let connected = false

/**
 * Hear of an event that Python, or another window, sends to this page.
 * @returns {() => void} stops hearing of it
 */
export function on (name, listener) {
  if (typeof listener !== 'function') throw new TypeError('a listener is a function')
  if (!connected) {
    connected = true
    runtime?.onEvent(deliver)
  }
  if (!listeners.has(name)) listeners.set(name, new Set())
  listeners.get(name).add(listener)
  return () => off(name, listener)
}

/** The same for the next event alone; without a listener, a promise of it. */
export function once (name, listener) {
  if (listener === undefined) return new Promise((resolve) => once(name, resolve))
  const stop = on(name, (detail) => {
    stop()
    listener(detail)
  })
  return stop
}

/** Hear no more: of this listener, or of all of that name. */
export function off (name, listener) {
  const of = listeners.get(name)
  if (!of) return
  if (listener) of.delete(listener)
  if (!listener || of.size === 0) listeners.delete(name)
}

/** Have an event happen in this page, as if it had come from Python. */
export function emit (name, detail) {
  globalThis.dispatchEvent?.(new CustomEvent(name, { detail }))
  return deliver(name, detail)
}

function deliver (name, detail) {
  const of = listeners.get(name)
  if (!of) return false
  for (const listener of [...of]) {
    try {
      listener(detail)
    } catch (error) {
      reportError(error) // one listener's mistake must not keep the event from the others
    }
  }
  return true
}
