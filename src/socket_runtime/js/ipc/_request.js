import { runtime } from '../_runtime.js'
import { IPCError, toError } from '../errors.js'
import { readBytes } from './_bytes.js'
import { toBytes } from './_encode.js'
import { Exchange, kindOf, post, unexpected } from './_exchange.js'
import { Result } from './_result.js'
import { Turns } from './_turns.js'

const MAX_FILES = 32 // B6: half of what the host hands over to a window at once; the rest waits here
const NOTHING = Object.freeze({})

const files = new Turns(MAX_FILES)

/**
 * Call a command. Never rejects: what went wrong stands in `err`.
 * @returns {Promise<Result>}
 */
export function request (command, args, options = NOTHING) {
  return options.bulk && runtime ? requestFile(command, args, options) : perform(command, args, options)
}

async function perform (command, args, options) {
  let exchange
  try {
    if (options.body !== undefined) options = { ...options, body: await toBytes(options.body) }
    exchange = new Exchange(command, args, options)
    const response = await exchange.send()
    const kind = kindOf(response, command)
    if (kind === 'json') {
      const { data = null, err } = await response.json()
      return new Result(command, exchange.seq, data, err ? toError(err, command) : null, response.headers)
    }
    const data = await payload(kind, response, command, options.responseType)
    return new Result(command, exchange.seq, data, null, response.headers)
  } catch (error) {
    if (!exchange) return new Result(command, '', null, error, null)
    const err = await exchange.failure(error)
    if (exchange.answered && !(err instanceof NoFile)) exchange.cancel(err) // nobody will read the rest
    return new Result(command, exchange.seq, null, err, null)
  } finally {
    exchange?.settle()
  }
}

async function payload (kind, response, command, type) {
  if (kind === 'binary') return shaped(await readBytes(response), type)
  if (kind === 'file') return shaped(await takeFile(response, command), type)
  throw unexpected(kind, command, kind === 'upload' ? 'use upload()' : 'use stream()')
}

/** The File that the host put into the page's hands beside this reply. */
async function takeFile (response, command) {
  const number = response.headers.get('Socket-File')
  try {
    const file = await runtime.takeFile(number)
    return new Uint8Array(await file.arrayBuffer())
  } catch (cause) {
    throw new NoFile('the file was not handed over, or has changed since', { cause }, command)
  } finally {
    post(command, { 'Socket-File-Done': number })
  }
}

class NoFile extends IPCError {}

async function requestFile (command, args, options) {
  if (!files.tryEnter()) await files.enter()
  try {
    const result = await perform(command, args, { ...options, headers: { ...options.headers, 'Socket-Bulk': 'file' } })
    if (!(result.err instanceof NoFile)) return result
  } finally {
    files.leave()
  }
  return perform(command, args, options)
}

function shaped (bytes, type) {
  if (type === 'text') return new TextDecoder().decode(bytes)
  if (type !== 'arraybuffer') return bytes
  return bytes.length === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer
}
