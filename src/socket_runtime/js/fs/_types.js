/** The questions that a Stats and a Dirent answer, by the host's name of the type. */
export class Typed {
  #type

  constructor (type) {
    this.#type = type
  }

  isFile () {
    return this.#type === 'file'
  }

  isDirectory () {
    return this.#type === 'directory'
  }

  isSymbolicLink () {
    return this.#type === 'symlink'
  }

  isFIFO () {
    return this.#type === 'fifo'
  }

  isSocket () {
    return this.#type === 'socket'
  }

  isCharacterDevice () {
    return this.#type === 'char'
  }

  isBlockDevice () {
    return this.#type === 'block'
  }
}
