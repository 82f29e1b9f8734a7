import { Buffer } from '../buffer.js'

/** Bytes as the caller wants them: a Buffer, or text in an encoding. */
export function decoded (bytes, encoding) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer
}

/** One piece of data as bytes. @throws {TypeError} */
export function encoded (data, encoding) {
  if (typeof data === 'string') return Buffer.from(data, encoding === 'buffer' ? undefined : encoding)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  const error = new TypeError(
    'The "data" argument must be of type string or an instance of Buffer, TypedArray, DataView, ArrayBuffer or Blob')
  error.code = 'ERR_INVALID_ARG_TYPE'
  throw error
}

/** Is it many pieces, rather than one? */
export function isMany (data) {
  if (typeof data !== 'object' || data === null) return false
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return false
  return data instanceof ReadableStream || data instanceof Blob ||
    Symbol.asyncIterator in data || Symbol.iterator in data
}

/** Pieces of text in an encoding as bytes; anything else is left as it is. */
export function encodedMany (data, encoding) {
  if (data instanceof ReadableStream || data instanceof Blob) return data
  return eachEncoded(data, encoding)
}

async function * eachEncoded (data, encoding) {
  for await (const piece of data) yield encoded(piece, encoding)
}
