/**
 * When something happens to the page or the app. Each `on...` takes a function and gives one that takes it
 * back; what is already so (the page has loaded) is told at once.
 */
const events = new EventTarget()
const target = globalThis.addEventListener ? globalThis : events

/** The next `event` of the page, as a promise. @param {{signal?: AbortSignal}} [options] */
export function wait (event, options = {}) {
  const { signal } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    target.addEventListener(event, resolve, { once: true, signal })
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function listen (event, callback, options) {
  if (typeof callback !== 'function') throw new TypeError('a hook takes a function')
  target.addEventListener(event, callback, options)
  return () => target.removeEventListener(event, callback, options)
}

/** Call when `isSo()` is true, or at the event that makes it true. */
function listenOnce (event, callback, isSo) {
  if (typeof callback !== 'function') throw new TypeError('a hook takes a function')
  if (!isSo()) return listen(event, callback, { once: true })
  let wanted = true
  queueMicrotask(() => { if (wanted) callback() })
  return () => { wanted = false }
}

const state = () => globalThis.document?.readyState ?? 'complete'

/** The document is there. */
export function onInit (callback) {
  return listenOnce('DOMContentLoaded', callback, () => state() !== 'loading')
}

/** The document is there, and modules can be used. */
export function onReady (callback) {
  return onInit(callback)
}

/** The document and all that it loads are there. */
export function onLoad (callback) {
  return listenOnce('load', callback, () => state() === 'complete')
}

export const onError = (callback) => listen('error', callback)
export const onData = (callback) => listen('data', callback)
export const onMessage = (callback) => listen('message', callback)
export const onOnline = (callback) => listen('online', callback)
export const onOffline = (callback) => listen('offline', callback)
export const onLanguageChange = (callback) => listen('languagechange', callback)
export const onPermissionChange = (callback) => listen('permissionchange', callback)
export const onApplicationURL = (callback) => listen('applicationurl', callback)
export const onApplicationPause = (callback) => listen('applicationpause', callback)
export const onApplicationResume = (callback) => listen('applicationresume', callback)

export default {
  onApplicationPause,
  onApplicationResume,
  onApplicationURL,
  onData,
  onError,
  onInit,
  onLanguageChange,
  onLoad,
  onMessage,
  onOffline,
  onOnline,
  onPermissionChange,
  onReady,
  wait
}
