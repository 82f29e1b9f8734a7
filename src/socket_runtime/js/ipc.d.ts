declare module 'socket:ipc' {
  import type { IPCError } from 'socket:errors'

  export * from 'socket:errors'

  /** Scalars travel in the query, all else as JSON. `undefined` is left out. */
  export type Arguments = Record<string, unknown>
  /** One body of bytes. */
  export type Body = string | ArrayBuffer | ArrayBufferView | Blob
  /** Bytes that come over time. */
  export type Source = ReadableStream | AsyncIterable<Body> | Iterable<Body> | Body

  export interface SignalOptions {
    /** Gives the call up, here and in the host. */
    signal?: AbortSignal
    /** Milliseconds; 0 for no limit. 32,000 unless it says otherwise. */
    timeout?: number
  }

  export interface CallOptions extends SignalOptions {
    /** Bytes for the command, beside its arguments, which must be scalars then. */
    body?: Body
    /** What bytes in the reply become: a `Uint8Array` unless it says otherwise. */
    responseType?: 'bytes' | 'arraybuffer' | 'text'
    /** Take a large file over beside the reply, where the command offers that. */
    bulk?: boolean
  }

  /** What a call came to. */
  export class Result<T = any> {
    constructor (source: string, id: string, data: T | null, err: IPCError | null, headers: Headers | null)
    /** The command. */
    source: string
    /** The call's number. */
    id: string
    data: T
    err: IPCError | null
    headers: Headers | null
  }

  export const OK: 0
  export const ERROR: 1
  /** Milliseconds that a call may take, unless it says otherwise. */
  export const TIMEOUT: number

  /**
   * Call a command and get what it returns.
   * @throws {IPCError}
   */
  export function call<T = any> (command: string, args?: Arguments | null, options?: CallOptions): Promise<T>
  /** Call a command and get the whole result; never rejects. */
  export function request<T = any> (command: string, args?: Arguments | null, options?: CallOptions): Promise<Result<T>>
  /** The same as `request`. */
  export const send: typeof request
  /** Call a command with a body of bytes beside its arguments; never rejects. */
  export function write<T = any> (
    command: string, args: Arguments | null | undefined, body: Body, options?: CallOptions
  ): Promise<Result<T>>
  /** What a command yields. The call is made when the first item is asked for; leaving the loop gives it up. */
  export function stream<T = any> (
    command: string, args?: Arguments | null, options?: SignalOptions
  ): AsyncIterableIterator<T>
  /**
   * Send bytes to a command as fast as it takes them, and get what it returns.
   * @throws {IPCError}
   */
  export function upload<T = any> (
    command: string, args: Arguments | null | undefined, source: Source, options?: SignalOptions
  ): Promise<T>

  /** Hear of an event that Python, or another window, sends; the result stops it. */
  export function on<T = any> (event: string, listener: (detail: T) => void): () => void
  /** The same for the next one alone. */
  export function once<T = any> (event: string): Promise<T>
  export function once<T = any> (event: string, listener: (detail: T) => void): () => void
  /** Hear no more: of this listener, or of all. */
  export function off (event: string, listener?: (detail: any) => void): void
  /** Have an event happen in this page. Tells whether anybody heard it. */
  export function emit (event: string, detail?: unknown): boolean

  const ipc: Pick<
    typeof import('socket:ipc'),
    | 'ERROR' | 'OK' | 'TIMEOUT' | 'call' | 'emit' | 'off' | 'on' | 'once' | 'request' | 'send' | 'stream' | 'upload'
    | 'write'
  >
  export default ipc
}
