declare module 'socket:fs/handle' {
  import type { Buffer } from 'socket:buffer'
  import type { Data, EncodingOption, OpenFlag, PathLike, Mode } from 'socket:fs/promises'
  import type { Stats } from 'socket:fs/stats'
  import type { ReadStream, ReadStreamOptions, WriteStream, WriteStreamOptions } from 'socket:fs/stream'

  export interface ReadOptions<B extends ArrayBufferView = Buffer> {
    buffer?: B
    offset?: number
    length?: number
    /** `null`, or nothing: where the last read or write ended. */
    position?: number | bigint | null
  }

  /** An open file. `fd` is a name that the host gave, good in this document alone, not a number. */
  export class FileHandle {
    constructor (fd: string)
    static open (path: PathLike, flags?: OpenFlag, mode?: Mode): Promise<FileHandle>
    readonly fd: string
    close (): Promise<void>
    read<B extends ArrayBufferView> (
      buffer: B, offset?: number, length?: number, position?: number | bigint | null
    ): Promise<{ bytesRead: number, buffer: B }>
    read<B extends ArrayBufferView = Buffer> (options?: ReadOptions<B>): Promise<{ bytesRead: number, buffer: B }>
    write (text: string, position?: number | null, encoding?: string): Promise<{ bytesWritten: number, buffer: string }>
    write<B extends ArrayBufferView> (
      buffer: B, offset?: number | ReadOptions | null, length?: number | null, position?: number | null
    ): Promise<{ bytesWritten: number, buffer: B }>
    readFile (options?: { encoding?: null | 'buffer', signal?: AbortSignal } | null): Promise<Buffer>
    readFile (options: EncodingOption): Promise<string>
    writeFile (data: Data, options?: EncodingOption | null): Promise<void>
    appendFile (data: Data, options?: EncodingOption | null): Promise<void>
    stat (): Promise<Stats>
    truncate (length?: number): Promise<void>
    sync (): Promise<void>
    createReadStream (options?: ReadStreamOptions | string): ReadStream
    createWriteStream (options?: WriteStreamOptions | string): WriteStream
  }

  export default FileHandle
}
