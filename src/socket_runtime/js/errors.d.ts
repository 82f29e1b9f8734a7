declare module 'socket:errors' {
  /** What the host tells of an error; further fields of `err` become fields of the error. */
  export interface ErrorDetails {
    name?: string
    type?: string
    code?: string
    cause?: unknown
    [field: string]: unknown
  }

  /** Root of all errors that calls reject with. */
  export class IPCError extends Error {
    static type: string
    static title: string
    constructor (message: string, details?: ErrorDetails, source?: string)
    /** The class's name, as the host says it. */
    readonly type: string
    /** An errno-like name (`'ENOENT'`), where one fits. */
    readonly code?: string
    /** The command that failed. */
    readonly source: string
    /** For file operations: the system's call and number, and the path as it was given. */
    readonly syscall?: string
    readonly errno?: number
    readonly path?: string
    readonly dest?: string
  }

  /** 400: not a canonical call: the command's name, its arguments or its body. */
  export class BadRequest extends IPCError {}
  /** 403: the gate said no. */
  export class Denied extends IPCError {
    /** The line that would allow it, such as `connect-src ipc://fs.readFile`. */
    readonly missing?: string
  }
  /** 404: no such command or stream. */
  export class NotFound extends IPCError {}
  /** 408: the command took longer than it may. */
  export class Timeout extends IPCError {}
  /** 413: a body or a reply above its limit. */
  export class TooLarge extends IPCError {}
  /** 429: too much at once from one window. */
  export class QuotaExceeded extends IPCError {}
  /** 499: the page gave the call up; `cause` is the signal's reason. */
  export class Aborted extends IPCError {}
  /** 500: the command itself failed. */
  export class CommandFailed extends IPCError {}
  /** No answer: there is no runtime here, or the reply was cut off. */
  export class Unreachable extends IPCError {}

  /** The error for the `err` of a result. */
  export function toError (err: { message: string } & ErrorDetails, source: string): IPCError
}
