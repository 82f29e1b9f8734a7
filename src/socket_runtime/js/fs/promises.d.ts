declare module 'socket:fs/promises' {
  import type { Buffer, BufferEncoding } from 'socket:buffer'
  import * as constants from 'socket:fs/constants'
  import { Dir, Dirent } from 'socket:fs/dir'
  import { FileHandle } from 'socket:fs/handle'
  import { Stats } from 'socket:fs/stats'
  import type { FileChange, WatchOptions } from 'socket:fs/watcher'

  export { constants, Dir, Dirent, FileHandle, Stats }

  /** Relative paths start at the app's resources. URLs are `file:`, or of the app's own origin. */
  export type PathLike = string | Uint8Array | URL
  /** A file's rights: a number, or octal text. */
  export type Mode = number | string
  /** How to open, by name: the numbers of the flags differ between systems. */
  export type OpenFlag = 'r' | 'r+' | 'rs+' | 'w' | 'wx' | 'w+' | 'wx+' | 'a' | 'ax' | 'a+' | 'ax+' | (string & {})
  type Piece = string | ArrayBufferView | ArrayBuffer
  export type Data = Piece | Blob | ReadableStream | Iterable<Piece> | AsyncIterable<Piece>
  export type EncodingOption = BufferEncoding | { encoding: BufferEncoding, signal?: AbortSignal }

  export interface BytesOptions {
    encoding?: null | 'buffer'
    flag?: OpenFlag
    signal?: AbortSignal
  }

  export interface TextOptions {
    encoding: BufferEncoding
    flag?: OpenFlag
    signal?: AbortSignal
  }

  export interface WriteOptions {
    encoding?: BufferEncoding | null
    mode?: Mode
    flag?: OpenFlag
    signal?: AbortSignal
  }

  export interface ReaddirOptions {
    encoding?: BufferEncoding | null
    recursive?: boolean
  }

  /** The folders that the grants name. */
  export type Roots = Partial<Record<
    'resources' | 'data' | 'config' | 'cache' | 'tmp' | 'home' | 'documents' | 'downloads' | 'desktop', string
  >>

  export function access (path: PathLike, mode?: number): Promise<void>
  export function appendFile (
    path: PathLike | FileHandle, data: Data, options?: WriteOptions | BufferEncoding | null
  ): Promise<void>
  export function chmod (path: PathLike, mode: Mode): Promise<void>
  /** `mode`: `constants.COPYFILE_EXCL` refuses to overwrite. */
  export function copyFile (src: PathLike, dest: PathLike, mode?: number): Promise<void>
  export function cp (src: PathLike, dest: PathLike, options?: { recursive?: boolean }): Promise<void>
  export function link (existing: PathLike, path: PathLike): Promise<void>
  export function lstat (path: PathLike, options?: { bigint?: false }): Promise<Stats>
  export function mkdir (path: PathLike, options?: Mode | { recursive?: boolean, mode?: Mode } | null): Promise<void>
  /** A new folder of a name that nobody else has. */
  export function mkdtemp (prefix: PathLike, options?: BufferEncoding | { encoding?: BufferEncoding }): Promise<string>
  export function open (path: PathLike, flags?: OpenFlag, mode?: Mode): Promise<FileHandle>
  export function opendir (path: PathLike, options?: { recursive?: boolean }): Promise<Dir>
  export function readFile (path: PathLike | FileHandle, options?: BytesOptions | null): Promise<Buffer>
  export function readFile (path: PathLike | FileHandle, options: TextOptions | BufferEncoding): Promise<string>
  export function readdir (
    path: PathLike, options?: (ReaddirOptions & { withFileTypes?: false }) | BufferEncoding | null
  ): Promise<string[]>
  export function readdir (path: PathLike, options: ReaddirOptions & { withFileTypes: true }): Promise<Dirent[]>
  export function readlink (path: PathLike, options?: BufferEncoding | { encoding?: BufferEncoding }): Promise<string>
  export function realpath (path: PathLike, options?: BufferEncoding | { encoding?: BufferEncoding }): Promise<string>
  export function rename (from: PathLike, to: PathLike): Promise<void>
  export function rm (path: PathLike, options?: { recursive?: boolean, force?: boolean }): Promise<void>
  export function rmdir (path: PathLike): Promise<void>
  export function roots (): Promise<Roots>
  export function stat (path: PathLike, options?: { bigint?: false }): Promise<Stats>
  export function symlink (target: PathLike, path: PathLike): Promise<void>
  export function truncate (path: PathLike, length?: number): Promise<void>
  export function unlink (path: PathLike): Promise<void>
  /** Dates, or seconds since 1970. */
  export function utimes (path: PathLike, atime: Date | number | string, mtime: Date | number | string): Promise<void>
  export function watch (path: PathLike, options?: WatchOptions | string): AsyncIterableIterator<FileChange>
  export function writeFile (
    path: PathLike | FileHandle, data: Data, options?: WriteOptions | BufferEncoding | null
  ): Promise<void>

  const promises: Omit<typeof import('socket:fs/promises'), 'default' | 'Dir' | 'Dirent' | 'FileHandle' | 'Stats'>
  export default promises
}
