import { runtime } from '../_runtime.js'
import { Aborted, BadRequest, Denied, IPCError, Timeout, Unreachable } from '../errors.js'
import { encode } from './_encode.js'
import { Turns } from './_turns.js'

/** Milliseconds that a call may take, unless it says otherwise: the original's. */
export const TIMEOUT = 32_000

const MAX_IN_FLIGHT = 256 // B6: a quarter of what the host grants a window; the rest waits here

const turns = new Turns(MAX_IN_FLIGHT)
let sequence = 0

/**
 * One request to the host and what belongs to it: its turn, its time limit, its signal, its cancellation.
 *
 * `send` opens it, `settle` ends it; in between `cancel` may come from anywhere, and then whatever waits on
 * the response rejects and `failure` tells why.
 */
export class Exchange {
  #controller = new AbortController()
  #reason = null
  #sent = false
  #turn = false
  #timer = 0
  #unlisten = null

  /**
   * @param {string} command
   * @param {object} [args]
   * @param {{signal?: AbortSignal, timeout?: number, body?: ArrayBuffer | Uint8Array, headers?: object}} options
   */
  constructor (command, args, options) {
    this.command = command
    this.seq = `R${++sequence}`
    this.answered = false
    const { url, init } = encode(command, args, this.seq, options.body)
    this.url = url
    this.init = init
    if (options.headers) init.headers = { ...init.headers, ...options.headers }
    init.signal = this.#controller.signal
    this.timeout = options.timeout ?? TIMEOUT
    if (options.signal) this.#obey(options.signal)
  }

  /** Send it and wait for the head of the reply. */
  async send () {
    if (runtime === undefined) throw new Unreachable(NOT_HERE, {}, this.command)
    if (this.#reason) throw this.#reason
    if (!turns.tryEnter()) await turns.enter(this.#controller.signal)
    this.#turn = true
    if (this.timeout > 0 && this.timeout < Infinity) this.#timer = setTimeout(() => this.#expire(), this.timeout)
    this.#sent = true
    const response = await runtime.fetch(this.url, this.init)
    this.answered = true
    return response
  }

  /** The head has come and the rest may take its time: give the turn back and stop the clock. */
  relax () {
    clearTimeout(this.#timer)
    if (this.#turn) {
      this.#turn = false
      turns.leave()
    }
  }

  /** It is over, in whatever way. */
  settle () {
    this.relax()
    this.#unlisten?.()
  }

  /** Give it up, here and in the host. */
  cancel (reason) {
    if (this.#reason) return
    this.#reason = reason
    this.#controller.abort(reason)
    if (this.#sent) post(this.command, { 'Socket-Cancel': this.seq })
  }

  /** Why this went wrong, as one of our errors. */
  async failure (error) {
    if (this.#reason) return this.#reason
    if (error instanceof IPCError) return error
    if (this.answered) {
      return new Unreachable(`the reply of ipc://${this.command} ended early`, { cause: error }, this.command)
    }
    if (await runtime.violation(this.url)) return blocked(this.command)
    return new Unreachable(`ipc://${this.command} was not answered`, { cause: error }, this.command)
  }

  #expire () {
    const message = `ipc://${this.command} took longer than ${this.timeout} ms`
    this.cancel(new Timeout(message, { code: 'ETIMEDOUT' }, this.command))
  }

  #obey (signal) {
    const abort = () => this.cancel(aborted(this.command, signal))
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    this.#unlisten = () => signal.removeEventListener('abort', abort)
  }
}

const NOT_HERE = 'there is no Socket Runtime here: commands can be called from the top document of ' +
  "an app's window alone, not from workers, frames or other browsers"

/** The engine's own policy check stopped the call: say what the host's gate would have said. */
function blocked (command) {
  const missing = `connect-src ipc://${command}`
  const message = `ipc://${command} is not allowed by the policy of this page: add \`${missing}\`` +
    " to the page's Content-Security-Policy"
  return new Denied(message, { code: 'EPERM', missing }, command)
}

/** What a call rejects with that the page gave up. */
export function aborted (command, signal) {
  return new Aborted(`ipc://${command} was aborted`, { code: 'ABORT_ERR', cause: signal.reason }, command)
}

/** Tell the host something about a call that it knows. Nothing depends on the answer. */
export function post (command, headers) {
  const url = `ipc://${command}?seq=R${++sequence}`
  // the host also finds out by itself: by the document's end or the stream's
  runtime.fetch(url, { method: 'POST', headers }).catch(() => {})
}

/** The reply's kind, checked. */
export function kindOf (response, command) {
  const kind = response.headers.get('Socket-Kind')
  if (kind === null && response.headers.get('Content-Type') === 'application/json') return 'json'
  if (kind === null) throw new Unreachable(`ipc://${command} was answered by something else`, {}, command)
  return kind
}

/** The reply is not of the kind that the caller can take. */
export function unexpected (kind, command, wanted) {
  return new BadRequest(`ipc://${command} answers with '${kind}': ${wanted}`, {}, command)
}
