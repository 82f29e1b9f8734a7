import { EventEmitter } from '../events.js'
import { stream, upload } from '../ipc.js'
import { Turns } from '../ipc/_turns.js'
import { StringDecoder } from '../string_decoder.js'
import { decoded, encoded } from './_data.js'
import { flagOf, modeOf, optionsOf } from './_options.js'
import { invalid, toPath } from './_path.js'

const READ_SIZE = 64 << 10 // bytes of a piece, unless `highWaterMark` says otherwise
const WRITE_AHEAD = 64 << 10 // bytes that may wait before `write` answers false

const reading = new Turns(32) // B6: half of the streams that the host grants a window; the rest waits here

/** What both streams share: they end once, in one of three ways, and tell `close` last. */
class FileStream extends EventEmitter {
  #abort = new AbortController()

  constructor (path, options) {
    super()
    this.path = path === null ? undefined : toPath(path)
    this.handle = options.handle ?? null
    this.destroyed = false
    this.closed = false
    this.errored = null
    if (options.signal) this.#obey(options.signal)
  }

  /** Aborts what is under way when the stream is destroyed. */
  get signal () {
    return this.#abort.signal
  }

  /** Give it up. With an error, tell it. */
  destroy (error) {
    if (this.destroyed) return this
    this.destroyed = true
    this.errored = error ?? null
    this.#abort.abort(error)
    queueMicrotask(() => {
      if (error) this.emit('error', error)
      this.#close()
    })
    return this
  }

  /** It came to its natural end. */
  finish (event) {
    if (this.destroyed) return
    this.destroyed = true
    this.emit(event)
    this.#close()
  }

  #close () {
    this.closed = true
    this.emit('close')
  }

  #obey (signal) {
    const abort = () => {
      const error = new Error('The operation was aborted', { cause: signal.reason })
      error.name = 'AbortError'
      error.code = 'ABORT_ERR'
      this.destroy(error)
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true, signal: this.signal })
  }
}

/**
 * A file's content, piece by piece: as `data` events, as an async iterable, or as a web stream (`toWeb`).
 * Nothing is read before one of them is asked for; while paused, nothing more comes.
 */
export class ReadStream extends FileStream {
  #source = null
  #decoder = null
  #flowing = false
  #resume = null

  /**
   * @param {string | URL | Uint8Array | null} path
   * @param {object | string} [options] `start`, `end` (included), `encoding`, `highWaterMark`, `signal`
   */
  constructor (path, options) {
    const given = optionsOf(options)
    super(path, given)
    this.bytesRead = 0
    this.start = given.start ?? 0
    this.end = given.end ?? Infinity
    if (!(this.start >= 0 && this.end >= this.start - 1)) throw invalid('start', 'must not be after the end')
    this.highWaterMark = given.highWaterMark ?? READ_SIZE
    if (given.encoding) this.setEncoding(given.encoding)
  }

  setEncoding (encoding) {
    this.#decoder = new StringDecoder(encoding)
    return this
  }

  on (name, listener) {
    super.on(name, listener)
    if (name === 'data') this.resume()
    return this
  }

  addListener (name, listener) {
    return this.on(name, listener)
  }

  isPaused () {
    return !this.#flowing
  }

  pause () {
    this.#flowing = false
    return this
  }

  resume () {
    if (this.#flowing) return this
    this.#flowing = true
    if (this.#resume) this.#resume()
    else if (!this.#source) this.#flow()
    return this
  }

  /** Each piece goes to all listeners of `data` before the next one is asked for. */
  async #flow () {
    try {
      for await (const piece of this) {
        this.emit('data', piece)
        while (!this.#flowing && !this.destroyed) await new Promise((resolve) => { this.#resume = resolve })
        this.#resume = null
      }
    } catch {
      // the iterator has destroyed the stream, which tells the error
    }
  }

  [Symbol.asyncIterator] () {
    if (this.#source) throw new TypeError('this stream is being read already')
    this.#source = this.#pieces()
    return this.#source
  }

  async * #pieces () {
    let complete = false
    try {
      for await (const bytes of this.#bytes()) {
        if (this.bytesRead === 0) this.emit('ready')
        this.bytesRead += bytes.length
        const piece = this.#decoder ? this.#decoder.write(bytes) : decoded(bytes)
        if (piece.length) yield piece
      }
      const rest = this.#decoder?.end()
      if (rest) yield rest
      complete = true
    } catch (error) {
      this.destroy(error)
      throw error
    } finally {
      if (complete) this.finish('end')
      else this.destroy()
    }
  }

  async * #bytes () {
    if (this.handle) return yield * this.#handleBytes()
    const { path, start } = this
    const end = this.end === Infinity ? undefined : this.end
    await reading.enter(this.signal)
    try {
      yield * stream('fs.readStream', { path, start, end, chunk: this.highWaterMark }, { signal: this.signal })
    } finally {
      reading.leave()
    }
  }

  async * #handleBytes () {
    let at = this.start
    while (at <= this.end) {
      const length = Math.min(this.highWaterMark, this.end - at + 1)
      const { bytesRead, buffer } = await this.handle.read(new Uint8Array(length), 0, length, at)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
    }
  }

  /** The same as a web stream. */
  toWeb () {
    const pieces = this[Symbol.asyncIterator]()
    return new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await pieces.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => void this.destroy(reason)
    }, { highWaterMark: 0 })
  }
}

/** Writes what it is given, piece by piece, as fast as the disk takes it. */
export class WriteStream extends FileStream {
  #waiting = []
  #wake = null
  #ending = false
  #full = false
  #callbacks = []

  /**
   * @param {string | URL | Uint8Array | null} path
   * @param {object | string} [options] `flags`, `mode`, `start`, `encoding`, `highWaterMark`, `signal`
   */
  constructor (path, options) {
    const given = optionsOf(options)
    super(path, given)
    this.encoding = given.encoding
    this.flags = flagOf(given.flags, 'w')
    this.mode = modeOf(given.mode)
    this.start = given.start
    this.highWaterMark = given.highWaterMark ?? WRITE_AHEAD
    this.bytesWritten = 0
    this.writableLength = 0
    queueMicrotask(() => this.#run())
  }

  /**
   * @param {string | ArrayBufferView} data
   * @returns {boolean} false: better wait for `drain`
   */
  write (data, encoding, callback) {
    if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding]
    const refusal = this.#refusal()
    if (refusal) {
      queueMicrotask(() => callback?.(refusal))
      this.destroy(refusal)
      return false
    }
    const bytes = encoded(data, encoding ?? this.encoding)
    this.#waiting.push({ bytes, callback })
    this.writableLength += bytes.length
    this.#wake?.()
    this.#full = this.writableLength >= this.highWaterMark
    return !this.#full
  }

  /** No more after this. `finish` comes when all is written. */
  end (data, encoding, callback) {
    if (typeof data === 'function') [data, callback] = [undefined, data]
    else if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding]
    if (data !== undefined && data !== null) this.write(data, encoding)
    if (callback) this.#callbacks.push(callback)
    this.#ending = true
    this.#wake?.()
    return this
  }

  destroy (error) {
    super.destroy(error)
    this.#wake?.()
    return this
  }

  #refusal () {
    if (!this.#ending && !this.destroyed) return null
    const error = new Error(this.destroyed ? 'Cannot call write after a stream was destroyed' : 'write after end')
    error.code = this.destroyed ? 'ERR_STREAM_DESTROYED' : 'ERR_STREAM_WRITE_AFTER_END'
    return error
  }

  async #run () {
    if (this.destroyed) return
    try {
      this.emit('ready')
      if (this.handle) await this.#writeToHandle()
      else await this.#writeToPath()
      this.finish('finish')
      for (const callback of this.#callbacks) callback()
    } catch (error) {
      const cause = this.errored ?? error
      for (const callback of this.#callbacks) callback(cause)
      this.destroy(error)
    }
  }

  async #writeToPath () {
    const { path, mode, start, flags: flag, signal } = this
    const { bytesWritten } = await upload('fs.writeStream', { path, mode, start, flag }, this.#pieces(), { signal })
    this.bytesWritten = bytesWritten
  }

  async #writeToHandle () {
    let at = this.start
    for await (const bytes of this.#pieces()) {
      const { bytesWritten } = await this.handle.write(bytes, 0, bytes.length, at ?? null)
      this.bytesWritten += bytesWritten
      if (at !== undefined) at += bytesWritten
    }
  }

  /** What `write` was given; asking for the next piece means that this one is on its way. */
  async * #pieces () {
    for (;;) {
      const next = this.#waiting.shift()
      if (next) {
        yield next.bytes
        this.#taken(next)
      } else if (this.destroyed) {
        throw this.errored ?? new Error('the stream was destroyed')
      } else if (this.#ending) {
        return
      } else {
        await new Promise((resolve) => { this.#wake = resolve })
        this.#wake = null
      }
    }
  }

  #taken ({ bytes, callback }) {
    this.writableLength -= bytes.length
    callback?.()
    if (this.#full && this.writableLength === 0) {
      this.#full = false
      this.emit('drain')
    }
  }

  /** The same as a web stream. */
  toWeb () {
    return new WritableStream({
      write: (data) => new Promise((resolve, reject) => {
        this.write(data, (error) => error ? reject(error) : resolve())
      }),
      close: () => new Promise((resolve, reject) => this.end((error) => error ? reject(error) : resolve())),
      abort: (reason) => void this.destroy(reason)
    })
  }
}

export default { ReadStream, WriteStream }
