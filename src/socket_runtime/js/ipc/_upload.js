import { toError } from '../errors.js'
import { toBytes } from './_encode.js'
import { Exchange, aborted, kindOf, post, unexpected } from './_exchange.js'
import { Turns } from './_turns.js'

const MAX_CHUNK = 1 << 20 // B6: bytes of one chunk on the way
const MAX_UPLOADS = 8 // B6: half of what the host grants a window; the rest waits here

const turns = new Turns(MAX_UPLOADS)

/**
 * Send a command a stream of bytes and wait for its result. The source is asked for more only as the
 * command takes what was sent.
 *
 * @param {string} command
 * @param {object} args
 * @param {ReadableStream | AsyncIterable | Iterable | Blob | ArrayBuffer | ArrayBufferView | string} source
 * @param {{signal?: AbortSignal, timeout?: number}} options `timeout` limits the opening alone
 */
export async function upload (command, args, source, options) {
  if (!turns.tryEnter()) await turns.enter()
  try {
    const id = await open(command, args, options)
    const send = (headers, body) => step(command, { 'Socket-Stream': id, ...headers }, body, options.signal)
    const sendChunk = async (bytes) => {
      const result = await send({}, bytes)
      if (result) throw new Ended(result.data)
    }
    try {
      await new Pump(sendChunk, command).run(source, options.signal)
      const { data } = await send({ 'Socket-Stream-End': '1' })
      return data
    } catch (error) {
      if (error instanceof Ended) return error.data
      post(command, { 'Socket-Stream': id, 'Socket-Stream-Abort': '1' })
      throw error
    }
  } finally {
    turns.leave()
  }
}

async function open (command, args, options) {
  const exchange = new Exchange(command, args, options)
  try {
    const response = await exchange.send()
    const kind = kindOf(response, command)
    const { err } = await response.json()
    if (err) throw toError(err, command)
    if (kind !== 'upload') throw unexpected(kind, command, 'it takes no upload')
    return response.headers.get('Socket-Stream')
  } catch (error) {
    throw await exchange.failure(error)
  } finally {
    exchange.settle()
  }
}

/** The command has its result before all is sent. */
class Ended {
  constructor (data) {
    this.data = data
  }
}

/**
 * One POST of an open upload; `null` when the host just took it, else the command's result. No time limit:
 * the command may be slow to take it.
 */
async function step (command, headers, body, signal) {
  const exchange = new Exchange(command, undefined, { signal, timeout: 0, headers, body })
  if (body === undefined) exchange.init.method = 'POST'
  try {
    const response = await exchange.send()
    if (response.status === 204) return null
    const { data = null, err } = await response.json()
    if (err) throw toError(err, command)
    return { data }
  } catch (error) {
    throw await exchange.failure(error)
  } finally {
    exchange.settle()
  }
}

/** While one chunk is on its way, gathers the next one: many small pieces cost one call. */
class Pump {
  #gathered = []
  #size = 0
  #sending = null
  #failure = null
  #interrupt = null

  constructor (send, command) {
    this.send = send
    this.command = command
  }

  async run (source, signal) {
    const iterator = iterate(source)
    const abort = () => this.#fail(aborted(this.command, signal))
    signal?.addEventListener('abort', abort)
    try {
      if (signal?.aborted) abort()
      for (let step = await this.#next(iterator); !step.done; step = await this.#next(iterator)) {
        await this.#gather(view(await toBytes(step.value)))
      }
      while (this.#sending) await this.#sending
      if (this.#failure) throw this.#failure
    } catch (error) {
      Promise.resolve(iterator.return?.()).catch(() => {}) // the source's last words do not matter any more
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** The source may be quiet for long: a failure meanwhile must not wait for it. */
  #next (iterator) {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      this.#interrupt = reject
      Promise.resolve(iterator.next()).then(resolve, reject)
    })
  }

  #fail (error) {
    this.#failure ??= error
    this.#interrupt?.(this.#failure)
  }

  async #gather (bytes) {
    for (let at = 0; at < bytes.length; at += MAX_CHUNK) {
      const piece = bytes.subarray(at, at + MAX_CHUNK)
      while (this.#sending && this.#size + piece.length > MAX_CHUNK) await this.#sending
      if (this.#failure) throw this.#failure
      this.#gathered.push(piece)
      this.#size += piece.length
      if (!this.#sending) this.#start()
    }
  }

  #start () {
    const chunk = joined(this.#gathered, this.#size)
    this.#gathered = []
    this.#size = 0
    this.#sending = this.send(chunk).catch((error) => this.#fail(error)).then(() => {
      this.#sending = null
      if (this.#size && !this.#failure) this.#start()
    })
  }
}

function iterate (source) {
  if (source instanceof ReadableStream) {
    const reader = source.getReader() // not every webview's streams are async iterable
    return { next: () => reader.read(), return: () => reader.cancel() }
  }
  if (source instanceof Blob) return slices(source)
  if (typeof source === 'string' || source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    return [source][Symbol.iterator]()
  }
  if (source?.[Symbol.asyncIterator]) return source[Symbol.asyncIterator]()
  if (source?.[Symbol.iterator]) return source[Symbol.iterator]()
  throw new TypeError('an upload needs a stream, an iterable, a Blob, bytes or text')
}

function * slices (blob) {
  for (let at = 0; at < blob.size; at += MAX_CHUNK) yield blob.slice(at, at + MAX_CHUNK)
}

function view (bytes) {
  return bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes
}

function joined (pieces, size) {
  if (pieces.length === 1) return pieces[0].slice() // the source may use its buffer again
  const all = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
