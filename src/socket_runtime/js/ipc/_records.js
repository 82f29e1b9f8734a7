const HEAD = 4 // bytes: u32, big endian, the length of the record that follows

/** Cuts a stream of bytes into records. A record of length 0 is a heartbeat and left out. */
export class Records {
  #rest = new Uint8Array(0)
  #decoder = new TextDecoder()

  /** Is there a part of a record that waits for more? */
  get partial () {
    return this.#rest.length > 0
  }

  /**
   * @param {Uint8Array} bytes the next piece
   * @returns {Generator<object>} the records that are now complete
   */
  * push (bytes) {
    let all = bytes
    if (this.#rest.length) {
      all = new Uint8Array(this.#rest.length + bytes.length)
      all.set(this.#rest)
      all.set(bytes, this.#rest.length)
    }
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength)
    let at = 0
    while (at + HEAD <= all.length) {
      const length = view.getUint32(at)
      if (at + HEAD + length > all.length) break
      const body = all.subarray(at + HEAD, at + HEAD + length)
      at += HEAD + length
      this.#rest = all.subarray(at) // before yielding: the consumer may stop here
      if (length) yield JSON.parse(this.#decoder.decode(body))
    }
    this.#rest = all.subarray(at)
  }
}
