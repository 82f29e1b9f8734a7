/** Listens to an EventTarget; the result stops it. */
export function eventTargetOn (target, name, listener, options) {
  if (typeof target?.addEventListener !== 'function') {
    const error = new TypeError('The "emitter" argument must be an instance of EventEmitter or EventTarget')
    error.code = 'ERR_INVALID_ARG_TYPE'
    throw error
  }
  target.addEventListener(name, listener, options)
  return () => target.removeEventListener(name, listener, options)
}

export function eventTargetOnce (target, name, listener) {
  return eventTargetOn(target, name, listener, { once: true })
}

/**
 * An async iterator over what is pushed. What was pushed before a failure is still delivered.
 * @param {(sink: {push: Function, fail: Function, end: Function}) => () => void} start begins to push and
 *   returns how to stop
 */
export function iterate (start) {
  const values = []
  const waiting = []
  let over = false
  let failure = null

  const next = () => {
    if (values.length) return Promise.resolve({ value: values.shift(), done: false })
    if (failure) {
      const error = failure
      failure = null
      return Promise.reject(error)
    }
    if (over) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  }
  const end = () => {
    if (over) return
    over = true
    stop()
    for (const { resolve } of waiting.splice(0)) resolve({ value: undefined, done: true })
  }
  const fail = (error) => {
    if (over) return
    if (waiting.length) waiting.shift().reject(error)
    else failure = error
    end()
  }
  const push = (value) => {
    if (waiting.length) waiting.shift().resolve({ value, done: false })
    else if (!over) values.push(value)
  }
  const stop = start({ push, fail, end })

  return {
    next,
    return () {
      end()
      return Promise.resolve({ value: undefined, done: true })
    },
    throw (error) {
      fail(error)
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator] () {
      return this
    }
  }
}
