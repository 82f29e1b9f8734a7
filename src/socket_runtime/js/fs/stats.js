import { Typed } from './_types.js'

/** What is known of a file. Times are in milliseconds since 1970, and once more as Dates. */
export class Stats extends Typed {
  /** @param {object} facts what the host told */
  constructor ({ type, ...facts }) {
    super(type)
    Object.assign(this, facts)
  }

  get atime () {
    return new Date(Math.round(this.atimeMs))
  }

  get mtime () {
    return new Date(Math.round(this.mtimeMs))
  }

  get ctime () {
    return new Date(Math.round(this.ctimeMs))
  }

  get birthtime () {
    return new Date(Math.round(this.birthtimeMs))
  }
}

export default Stats
