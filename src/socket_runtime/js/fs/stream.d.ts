declare module 'socket:fs/stream' {
  import type { Buffer, BufferEncoding } from 'socket:buffer'
  import { EventEmitter } from 'socket:events'
  import type { FileHandle } from 'socket:fs/handle'
  import type { Mode, OpenFlag, PathLike } from 'socket:fs/promises'

  export interface ReadStreamOptions {
    encoding?: BufferEncoding | null
    /** The first byte. */
    start?: number
    /** The last byte, included. */
    end?: number
    /** Bytes of a piece. */
    highWaterMark?: number
    signal?: AbortSignal
    handle?: FileHandle
  }

  export interface WriteStreamOptions {
    encoding?: BufferEncoding | null
    flags?: OpenFlag
    mode?: Mode
    start?: number
    highWaterMark?: number
    signal?: AbortSignal
    handle?: FileHandle
  }

  export type ReadStreamEvents = {
    ready: []
    data: [piece: Buffer | string]
    end: []
    error: [error: Error]
    close: []
  }

  export type WriteStreamEvents = {
    ready: []
    drain: []
    finish: []
    error: [error: Error]
    close: []
  }

  type Told = (error?: Error | null) => void

  /** A file's content, piece by piece: as `data` events, as an async iterable, or as a web stream. */
  export class ReadStream extends EventEmitter<ReadStreamEvents> implements AsyncIterable<any> {
    constructor (path: PathLike | null, options?: ReadStreamOptions | string)
    readonly path: string | undefined
    readonly bytesRead: number
    readonly destroyed: boolean
    readonly closed: boolean
    readonly errored: Error | null
    setEncoding (encoding: BufferEncoding): this
    pause (): this
    resume (): this
    isPaused (): boolean
    destroy (error?: Error): this
    toWeb (): ReadableStream
    [Symbol.asyncIterator] (): AsyncGenerator<any>
  }

  /** Writes what it is given, piece by piece, as fast as the disk takes it. */
  export class WriteStream extends EventEmitter<WriteStreamEvents> {
    constructor (path: PathLike | null, options?: WriteStreamOptions | string)
    readonly path: string | undefined
    /** Known when all is written. */
    readonly bytesWritten: number
    readonly writableLength: number
    readonly destroyed: boolean
    readonly closed: boolean
    readonly errored: Error | null
    /** `false`: better wait for `drain`. */
    write (data: string | ArrayBufferView | ArrayBuffer, told?: Told): boolean
    write (data: string | ArrayBufferView | ArrayBuffer, encoding?: BufferEncoding, told?: Told): boolean
    end (told?: Told): this
    end (data: string | ArrayBufferView | ArrayBuffer | null | undefined, told?: Told): this
    end (data: string | ArrayBufferView | ArrayBuffer, encoding?: BufferEncoding, told?: Told): this
    destroy (error?: Error): this
    toWeb (): WritableStream
  }

  const streams: { ReadStream: typeof ReadStream, WriteStream: typeof WriteStream }
  export default streams
}
