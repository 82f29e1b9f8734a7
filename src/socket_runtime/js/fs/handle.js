import { Buffer } from '../buffer.js'
import { call } from '../ipc.js'
import { decoded, encoded, isMany } from './_data.js'
import { flagOf, modeOf, optionsOf } from './_options.js'
import { toPath } from './_path.js'
import { Stats } from './stats.js'
import { ReadStream, WriteStream } from './stream.js'

const CHUNK = 1 << 20 // bytes of one read or write

/** An open file. `fd` is a name that the host gave, good in this document alone, not a number. */
export class FileHandle {
  #closing = null

  /** @param {string} fd */
  constructor (fd) {
    this.fd = fd
  }

  /** @see import('./promises.js').open */
  static async open (path, flags, mode) {
    const { fd } = await call('fs.open', { path: toPath(path), flags: flagOf(flags, 'r'), mode: modeOf(mode) })
    return new FileHandle(fd)
  }

  /** Closing twice is one closing. */
  close () {
    this.#closing ??= call('fs.close', { fd: this.fd })
    return this.#closing
  }

  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')] () {
    return this.close()
  }

  /**
   * Read into a buffer: `(buffer, offset, length, position)`, or the same by name.
   * @returns {Promise<{bytesRead: number, buffer: ArrayBufferView}>}
   */
  async read (buffer, offset, length, position) {
    if (buffer === undefined || !ArrayBuffer.isView(buffer)) {
      const { buffer: given = Buffer.alloc(16384), ...rest } = buffer ?? {}
      ;({ offset, length, position } = rest)
      buffer = given
    }
    offset ??= 0
    length ??= buffer.byteLength - offset
    checkRange(offset, length, buffer.byteLength)
    if (length === 0) return { bytesRead: 0, buffer }
    const bytes = await call('fs.read', { fd: this.fd, length: Math.min(length, CHUNK), position: at(position) })
    new Uint8Array(buffer.buffer, buffer.byteOffset).set(bytes, offset)
    return { bytesRead: bytes.length, buffer }
  }

  /**
   * Write from a buffer: `(buffer, offset, length, position)`, or text: `(text, position, encoding)`.
   * @returns {Promise<{bytesWritten: number, buffer: ArrayBufferView | string}>}
   */
  async write (data, ...rest) {
    const [bytes, position] = typeof data === 'string'
      ? [encoded(data, rest[1]), rest[0]]
      : slice(data, ...rest)
    let written = 0
    for (const [start, end] of chunks(bytes.length)) {
      const place = at(position) === -1 ? -1 : position + start
      const body = bytes.subarray(start, end)
      const { bytesWritten } = await call('fs.write', { fd: this.fd, position: place }, { body })
      written += bytesWritten
    }
    return { bytesWritten: written, buffer: data }
  }

  /** From the current position to the end. */
  async readFile (options) {
    const { encoding, signal } = optionsOf(options)
    const parts = []
    for (;;) {
      const bytes = await call('fs.read', { fd: this.fd, length: CHUNK, position: -1 }, { signal })
      if (bytes.length === 0) return decoded(Buffer.concat(parts), encoding)
      parts.push(bytes)
    }
  }

  /** From the current position on; what lies behind stays. */
  async writeFile (data, options) {
    const { encoding } = optionsOf(options)
    if (!isMany(data)) return void await this.write(encoded(data, encoding))
    for await (const piece of pieces(data)) await this.write(encoded(piece, encoding))
  }

  /** The handle must have been opened for appending. */
  appendFile (data, options) {
    return this.writeFile(data, options)
  }

  async stat () {
    return new Stats(await call('fs.fstat', { fd: this.fd }))
  }

  async truncate (length = 0) {
    await call('fs.ftruncate', { fd: this.fd, length })
  }

  /** Have the system put all on the disk. */
  async sync () {
    await call('fs.fsync', { fd: this.fd })
  }

  createReadStream (options) {
    return new ReadStream(null, { ...options, handle: this })
  }

  createWriteStream (options) {
    return new WriteStream(null, { ...options, handle: this })
  }
}

function at (position) {
  return typeof position === 'number' || typeof position === 'bigint' ? Number(position) : -1
}

function checkRange (offset, length, size) {
  if (offset >= 0 && length >= 0 && offset + length <= size) return
  const error = new RangeError(`"offset" and "length" must lie within the buffer of ${size} bytes`)
  error.code = 'ERR_OUT_OF_RANGE'
  throw error
}

function slice (data, offset, length, position) {
  if (typeof offset === 'object' && offset !== null) ({ offset, length, position } = offset)
  const bytes = encoded(data)
  offset ??= 0
  length ??= bytes.length - offset
  checkRange(offset, length, bytes.length)
  return [bytes.subarray(offset, offset + length), position]
}

/** `[start, end)` of each piece of at most CHUNK; one empty piece for nothing. */
function * chunks (size) {
  let start = 0
  do {
    yield [start, Math.min(start + CHUNK, size)]
    start += CHUNK
  } while (start < size)
}

async function * pieces (data) {
  if (data instanceof Blob) yield await data.arrayBuffer()
  else if (data instanceof ReadableStream) yield * drained(data.getReader())
  else yield * data
}

async function * drained (reader) {
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

export default FileHandle
