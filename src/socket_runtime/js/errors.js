/**
 * The errors that calls reject with. One class for each `type` that the host answers, so that a page can
 * write `catch (err) { if (err instanceof Denied) ... }`; `err.name` is the DOM's name of the same thing.
 */

const RESERVED = new Set(['message', 'stack', 'cause', 'source', '__proto__'])

/** Root of all of them. */
export class IPCError extends Error {
  static type = 'IPCError'
  static title = 'Error'

  /**
   * @param {string} message
   * @param {object} [details] `name`, `type`, `code`, `cause` and whatever else the host told
   * @param {string} [source] the command that failed
   */
  constructor (message, details = {}, source = '') {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    const kind = new.target
    Object.defineProperty(this, 'name', { value: kind.title, writable: true, configurable: true })
    this.type = kind.type
    this.source = source
    for (const [key, value] of Object.entries(details)) {
      if (!RESERVED.has(key)) this[key] = value
    }
  }
}

/** 400: not a canonical call: the command's name, its arguments or its body. */
export class BadRequest extends IPCError {
  static type = 'BadRequest'
  static title = 'TypeError'
}

/** 403: the gate said no. `missing` is the line that would allow it, where one would. */
export class Denied extends IPCError {
  static type = 'Denied'
  static title = 'NotAllowedError'
}

/** 404: no such command or stream. */
export class NotFound extends IPCError {
  static type = 'NotFound'
  static title = 'NotFoundError'
}

/** 408: the command took longer than it may. */
export class Timeout extends IPCError {
  static type = 'Timeout'
  static title = 'TimeoutError'
}

/** 413: a body or a reply above its limit. */
export class TooLarge extends IPCError {
  static type = 'TooLarge'
  static title = 'RangeError'
}

/** 429: too much at once from one window. */
export class QuotaExceeded extends IPCError {
  static type = 'QuotaExceeded'
  static title = 'QuotaExceededError'
}

/** 499: the page gave the call up. `cause` is the signal's reason. */
export class Aborted extends IPCError {
  static type = 'Aborted'
  static title = 'AbortError'
}

/** 500: the command itself failed. `code` is errno-like (`'ENOENT'`) where one fits. */
export class CommandFailed extends IPCError {
  static type = 'CommandFailed'
  static title = 'Error'
}

/** No answer: there is no runtime here, or the reply was cut off. */
export class Unreachable extends IPCError {
  static type = 'Unreachable'
  static title = 'NetworkError'
}

const KINDS = new Map(
  [BadRequest, Denied, NotFound, Timeout, TooLarge, QuotaExceeded, Aborted, CommandFailed, Unreachable]
    .map((kind) => [kind.type, kind])
)

/**
 * The error for the `err` of a result.
 * @param {{message: string, name?: string, type?: string, code?: string}} err
 * @param {string} source the command
 */
export function toError (err, source) {
  const Kind = KINDS.get(err.type) ?? IPCError
  return new Kind(err.message, err, source)
}
