/** What a call came to: `data`, or `err`. */
export class Result {
  /**
   * @param {string} source the command
   * @param {string} id the call's number
   * @param {any} data
   * @param {import('../errors.js').IPCError | null} err
   * @param {Headers | null} headers
   */
  constructor (source, id, data, err, headers) {
    this.source = source
    this.id = id
    this.data = data
    this.err = err
    this.headers = headers
  }
}
