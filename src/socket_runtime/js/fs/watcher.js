import { EventEmitter } from '../events.js'
import { stream } from '../ipc.js'
import { optionsOf } from './_options.js'
import { toPath } from './_path.js'

/**
 * What changes at a path, as an async iterator of `{ eventType, filename }`. It ends by `return` (leaving
 * the loop) or by its signal, and then throws an AbortError as Node.js does.
 */
export function changes (path, options) {
  const { recursive, signal, encoding } = optionsOf(options)
  const items = stream('fs.watch', { path: toPath(path), recursive }, { signal })
  const named = (name) => encoding === 'buffer' ? new TextEncoder().encode(name) : name
  return {
    async next () {
      const { done, value } = await items.next()
      if (done) return { done, value: undefined }
      return { done, value: { eventType: value.type, filename: named(value.filename) } }
    },
    return: (value) => items.return(value),
    throw: (error) => items.throw(error),
    [Symbol.asyncIterator] () {
      return this
    }
  }
}

/** Emits `change` `(eventType, filename)`, `error`, and `close` at the end. */
export class FSWatcher extends EventEmitter {
  #items
  #closed = false

  constructor (path, options) {
    super()
    this.#items = changes(path, options)
    this.#run()
  }

  close () {
    if (this.#closed) return
    this.#closed = true
    this.#items.return()
    queueMicrotask(() => this.emit('close'))
  }

  async #run () {
    try {
      for await (const { eventType, filename } of this.#items) this.emit('change', eventType, filename)
    } catch (error) {
      if (!this.#closed && error.name !== 'AbortError') this.emit('error', error)
    }
    this.close()
  }
}

export { FSWatcher as Watcher }
export default FSWatcher
