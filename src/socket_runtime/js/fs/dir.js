import { Typed } from './_types.js'

/** One name in a folder. */
export class Dirent extends Typed {
  constructor (name, type, parentPath) {
    super(type)
    this.name = name
    this.parentPath = parentPath
    this.path = parentPath
  }
}

/** A folder that is read entry by entry. */
export class Dir {
  #entries
  #closed = false

  /**
   * @param {string} path
   * @param {Dirent[]} entries
   */
  constructor (path, entries) {
    this.path = path
    this.#entries = [...entries]
  }

  /** The next entry; `null` after the last. With a function, calls it `(err, entry)`. */
  read (callback) {
    return told(this.#next(), callback)
  }

  close (callback) {
    return told(this.#close(), callback)
  }

  async * [Symbol.asyncIterator] () {
    try {
      for (let entry = await this.#next(); entry !== null; entry = await this.#next()) yield entry
    } finally {
      if (!this.#closed) await this.#close()
    }
  }

  async #next () {
    if (this.#closed) throw closedError()
    return this.#entries.shift() ?? null
  }

  async #close () {
    if (this.#closed) throw closedError()
    this.#closed = true
    this.#entries = []
  }
}

function closedError () {
  const error = new Error('Directory handle was closed')
  error.code = 'ERR_DIR_CLOSED'
  return error
}

/** The promise itself, or its outcome told to a Node.js callback. */
export function told (promise, callback) {
  if (callback === undefined) return promise
  promise.then((value) => callback(null, value), callback)
}

export default Dir
