import { Typed } from './_types.js'

/** What is known of a file. Times are in milliseconds since 1970, and once more as Dates. */
export class Stats extends Typed {
  /** @param {object} facts what the host told */
  constructor ({ type, ...facts }) {
    super(type)
    Object.assign(this, facts)
  }

  get atime () {
    return new Date(this.atimeMs)
  }

  get mtime () {
    return new Date(this.mtimeMs)
  }

  get ctime () {
    return new Date(this.ctimeMs)
  }

  get birthtime () {
    return new Date(this.birthtimeMs)
  }
}

export default Stats
