import { toError } from '../errors.js'
import { Exchange, kindOf, post, unexpected } from './_exchange.js'
import { Records } from './_records.js'

/** Bytes that are consumed until the host is told. It lets four times as much be under way. */
const STEP = 1 << 20

/**
 * What a command streams: an async iterator that can be used once. The call is made at the first `next`.
 *
 * Not an async generator: `return` of a generator waits until a pending `next` is done, and on a quiet
 * stream (a watcher) that is never.
 */
export class Stream {
  #exchange
  #items
  #ended = false

  constructor (command, args, options) {
    const headers = { ...options.headers, 'Socket-Flow': '1' }
    this.#exchange = new Exchange(command, args, { ...options, headers })
    this.#items = items(this.#exchange)
  }

  async next () {
    if (this.#ended) return { done: true, value: undefined }
    try {
      const step = await this.#items.next()
      if (this.#ended) return { done: true, value: undefined }
      if (step.done) this.#end()
      return step
    } catch (error) {
      if (this.#ended) return { done: true, value: undefined } // `return` was called meanwhile
      const failure = await this.#exchange.failure(error)
      this.#end(failure)
      throw failure
    }
  }

  async return (value) {
    if (!this.#ended) this.#end(GIVEN_UP)
    return { done: true, value }
  }

  async throw (error) {
    if (!this.#ended) this.#end(GIVEN_UP)
    throw error
  }

  [Symbol.asyncIterator] () {
    return this
  }

  #end (reason) {
    this.#ended = true
    if (reason) this.#exchange.cancel(reason)
    this.#exchange.settle()
  }
}

const GIVEN_UP = new DOMException('the stream was given up', 'AbortError')

async function * items (exchange) {
  const response = await exchange.send()
  exchange.relax()
  const kind = kindOf(response, exchange.command)
  if (kind === 'json') throw await refusal(response, exchange.command)
  const counter = new Counter(exchange.command, response.headers.get('Socket-Stream'))
  if (kind === 'stream-binary' || kind === 'binary') yield * pieces(response, counter)
  else if (kind === 'stream-items') yield * records(response, exchange.command, counter)
  else throw unexpected(kind, exchange.command, 'it has no stream')
}

async function refusal (response, command) {
  const { err } = await response.json()
  return err ? toError(err, command) : unexpected('json', command, 'use call()')
}

/**
 * Tells the host how much of a stream has been consumed: the engine takes a reply as fast as it comes, so
 * that the host cannot see by itself that the page is slow.
 */
class Counter {
  #total = 0
  #told = 0

  constructor (command, stream) {
    this.command = command
    this.stream = stream
  }

  add (bytes) {
    this.#total += bytes
    if (this.stream === null || this.#total - this.#told < STEP) return
    this.#told = this.#total
    post(this.command, { 'Socket-Stream': this.stream, 'Socket-Stream-Taken': `${this.#total}` })
  }
}

async function * pieces (response, counter) {
  const reader = response.body.getReader()
  const size = Number(response.headers.get('Socket-File-Size') ?? NaN)
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (value.length) yield value
    counter.add(value.length) // only now has it been consumed
  }
  // to WebKit a reply of unknown length that breaks off is one that ends
  if (length < size) throw new TypeError(`${size - length} bytes are missing`) // becomes "ended early"
}

async function * records (response, command, counter) {
  const records = new Records()
  for await (const piece of pieces(response, counter)) {
    for (const { data, err } of records.push(piece)) {
      if (err) throw toError(err, command)
      yield data
    }
  }
  if (records.partial) throw new TypeError('the last record is cut') // becomes "ended early"
}
