import { BadRequest } from '../errors.js'

const COMMAND = /^[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*$/
const MAX_QUERY = 2000 // longer arguments travel as a JSON body
const RESERVED = new Set(['seq', 'index'])

const JSON_TYPE = { 'Content-Type': 'application/json' }
const BYTES_TYPE = { 'Content-Type': 'application/octet-stream' }

/**
 * A call as `{ url, init }` for fetch. Scalars go into the query; as soon as one argument is not a scalar,
 * or all are long, they go together into a JSON body. Bytes are a body of their own.
 * @throws {BadRequest}
 */
export function encode (command, args, seq, body) {
  if (typeof command !== 'string' || !COMMAND.test(command)) {
    throw new BadRequest(`'${String(command)}' is not the name of a command`)
  }
  const base = `ipc://${command}?seq=${seq}`
  let url = base
  if (args) {
    for (const key of Object.keys(args)) {
      const value = args[key]
      if (value === undefined) continue
      if (RESERVED.has(key)) throw new BadRequest(`an argument may not be called '${key}'`, {}, command)
      const text = scalar(value)
      if (text === null) return encodeObject(base, args, body, command, key)
      url += `&${encodeURIComponent(key)}=${text}`
    }
    if (url.length > MAX_QUERY && body === undefined) return encodeObject(base, args, body, command, '')
  }
  if (body === undefined) return { url, init: { method: 'GET' } }
  return { url, init: { method: 'POST', headers: BYTES_TYPE, body } }
}

/** The value as it stands in a query, or `null` where it has to travel as JSON. */
function scalar (value) {
  switch (typeof value) {
    case 'string':
      return encodeText(value)
    case 'number':
      return Number.isFinite(value) ? encodeURIComponent(value) : null
    case 'boolean':
    case 'bigint':
      return `${value}`
    default:
      return null
  }
}

function encodeText (value) {
  try {
    return encodeURIComponent(value)
  } catch {
    return null // URIError: a file's name that is not valid text holds lone surrogates, which no URL carries
  }
}

function encodeObject (base, args, body, command, key) {
  if (body !== undefined) {
    throw new BadRequest(`'${key}' must be a plain text, number or boolean beside a body of bytes`, {}, command)
  }
  for (const [name, value] of Object.entries(args)) {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new BadRequest(`'${name}' is ${value}, which cannot be sent`, {}, command)
    }
  }
  let text
  try {
    text = JSON.stringify(args, (_, value) => typeof value === 'bigint' ? value.toString() : value)
  } catch (cause) {
    throw new BadRequest(`the arguments have no JSON form: ${cause.message}`, { cause }, command)
  }
  return { url: base, init: { method: 'POST', headers: JSON_TYPE, body: text } }
}

/**
 * A body as bytes that every webview's transport takes: never a Blob, which ends WebKitGTK's host process.
 * @returns {Promise<Uint8Array | ArrayBuffer>}
 */
export async function toBytes (body) {
  if (typeof body === 'string') return new TextEncoder().encode(body)
  if (body instanceof ArrayBuffer) return body
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  if (typeof Blob !== 'undefined' && body instanceof Blob) return body.arrayBuffer()
  throw new BadRequest('a body is text, an ArrayBuffer, a view of one, or a Blob')
}
