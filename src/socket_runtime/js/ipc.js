/**
 * Calls from the page to Python, over `ipc://<command>`.
 *
 * | function  | for                                    | gives                                  |
 * |-----------|----------------------------------------|----------------------------------------|
 * | `call`    | a command's value                      | its `data`; throws what went wrong     |
 * | `request` | the whole result, as the original had  | `Result {source, id, data, err, headers}`; never rejects |
 * | `write`   | a body of bytes                        | `Result`                               |
 * | `stream`  | what a command yields                  | an async iterable                      |
 * | `upload`  | bytes, while they come into being      | the command's `data`; throws           |
 * | `on` ...  | events from Python                     |                                        |
 */
import { TIMEOUT } from './ipc/_exchange.js'
import { request } from './ipc/_request.js'
import { emit, off, on, once } from './ipc/_signals.js'
import { Stream } from './ipc/_stream.js'
import { upload as sendAll } from './ipc/_upload.js'

export { TIMEOUT, emit, off, on, once, request, request as send }
export { Result } from './ipc/_result.js'
export * from './errors.js'

export const OK = 0
export const ERROR = 1

const NOTHING = Object.freeze({})

/**
 * Call a command and get what it returns.
 * @throws {import('./errors.js').IPCError}
 */
export async function call (command, args, options) {
  const result = await request(command, args, options)
  if (result.err) throw result.err
  return result.data
}

/** Call a command with a body of bytes beside its arguments. */
export function write (command, args, body, options) {
  return request(command, args, { ...options, body })
}

/** What a command yields: `Uint8Array`s of a stream of bytes, values of a stream of items. */
export function stream (command, args, options = NOTHING) {
  return new Stream(command, args, options)
}

/** Send bytes to a command as fast as it takes them. */
export function upload (command, args, source, options = NOTHING) {
  return sendAll(command, args, source, options)
}

export default {
  ERROR,
  OK,
  TIMEOUT,
  call,
  emit,
  off,
  on,
  once,
  request,
  send: request,
  stream,
  upload,
  write
}
