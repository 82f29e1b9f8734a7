/**
 * At most `limit` at once; whoever comes later waits in line. Costs one comparison where nobody waits.
 */
export class Turns {
  #waiting = new Set() // in the order of coming; one leaves from anywhere at no cost

  constructor (limit) {
    this.limit = limit
    this.taken = 0
  }

  /** Take a turn if one is free. */
  tryEnter () {
    if (this.taken >= this.limit) return false
    this.taken++
    return true
  }

  /**
   * Wait for a turn and take it.
   * @param {AbortSignal} [signal] leaves the line; rejects with its reason
   */
  enter (signal) {
    if (this.tryEnter()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const place = { resolve, forget: () => {} }
      if (signal) {
        const leave = () => {
          this.#waiting.delete(place)
          reject(signal.reason)
        }
        signal.addEventListener('abort', leave, { once: true })
        place.forget = () => signal.removeEventListener('abort', leave)
      }
      this.#waiting.add(place)
    })
  }

  /** Give the turn back: it passes to the first in line. */
  leave () {
    const [next] = this.#waiting
    if (!next) {
      this.taken--
      return
    }
    this.#waiting.delete(next)
    next.forget()
    next.resolve()
  }
}
