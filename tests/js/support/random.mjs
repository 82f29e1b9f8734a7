/** Random values that are the same in every run: a failure can be repeated by its seed. */
export class Random {
  #state

  constructor (seed) {
    this.#state = seed | 0
  }

  /** An integer below `limit` (mulberry32). */
  below (limit) {
    this.#state = this.#state + 0x6D2B79F5 | 0
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) % limit
  }

  pick (list) {
    return list[this.below(list.length)]
  }

  /** Up to `most` pieces of `alphabet`, joined. */
  text (alphabet, most) {
    return Array.from({ length: this.below(most + 1) }, () => this.pick(alphabet)).join('')
  }

  bytes (most) {
    return Array.from({ length: this.below(most + 1) }, () => this.below(256))
  }
}
