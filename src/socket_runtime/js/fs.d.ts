declare module 'socket:fs' {
  import type { Buffer, BufferEncoding } from 'socket:buffer'
  import * as constants from 'socket:fs/constants'
  import { Dir, Dirent } from 'socket:fs/dir'
  import { FileHandle } from 'socket:fs/handle'
  import promises from 'socket:fs/promises'
  import type {
    BytesOptions, Data, Mode, OpenFlag, PathLike, ReaddirOptions, TextOptions, WriteOptions
  } from 'socket:fs/promises'
  import { Stats } from 'socket:fs/stats'
  import { ReadStream, WriteStream } from 'socket:fs/stream'
  import type { ReadStreamOptions, WriteStreamOptions } from 'socket:fs/stream'
  import { FSWatcher } from 'socket:fs/watcher'
  import type { WatchOptions } from 'socket:fs/watcher'

  export { constants, Dir, Dirent, FileHandle, FSWatcher, FSWatcher as Watcher, promises, ReadStream, Stats,
    WriteStream }
  export { F_OK, R_OK, W_OK, X_OK } from 'socket:fs/constants'

  type Done = (error: any) => void
  type Callback<T> = (error: any, value: T) => void
  type Path = PathLike

  export function access (path: Path, callback: Done): void
  export function access (path: Path, mode: number, callback: Done): void
  export function appendFile (path: Path, data: Data, callback: Done): void
  export function appendFile (path: Path, data: Data, options: WriteOptions | BufferEncoding | null,
    callback: Done): void
  export function chmod (path: Path, mode: Mode, callback: Done): void
  export function copyFile (src: Path, dest: Path, callback: Done): void
  export function copyFile (src: Path, dest: Path, mode: number, callback: Done): void
  export function cp (src: Path, dest: Path, callback: Done): void
  export function cp (src: Path, dest: Path, options: { recursive?: boolean }, callback: Done): void
  export function exists (path: Path, callback: (exists: boolean) => void): void
  export function link (existing: Path, path: Path, callback: Done): void
  export function lstat (path: Path, callback: Callback<Stats>): void
  export function mkdir (path: Path, callback: Done): void
  export function mkdir (path: Path, options: Mode | { recursive?: boolean, mode?: Mode }, callback: Done): void
  export function mkdtemp (prefix: Path, callback: Callback<string>): void
  export function opendir (path: Path, callback: Callback<Dir>): void
  export function opendir (path: Path, options: { recursive?: boolean }, callback: Callback<Dir>): void
  export function readFile (path: Path, callback: Callback<Buffer>): void
  export function readFile (path: Path, options: BytesOptions | null | undefined, callback: Callback<Buffer>): void
  export function readFile (path: Path, options: TextOptions | BufferEncoding, callback: Callback<string>): void
  export function readdir (path: Path, callback: Callback<string[]>): void
  export function readdir (
    path: Path, options: (ReaddirOptions & { withFileTypes?: false }) | BufferEncoding | null,
      callback: Callback<string[]>
  ): void
  export function readdir (
    path: Path, options: ReaddirOptions & { withFileTypes: true }, callback: Callback<Dirent[]>
  ): void
  export function readlink (path: Path, callback: Callback<string>): void
  export function realpath (path: Path, callback: Callback<string>): void
  export function rename (from: Path, to: Path, callback: Done): void
  export function rm (path: Path, callback: Done): void
  export function rm (path: Path, options: { recursive?: boolean, force?: boolean }, callback: Done): void
  export function rmdir (path: Path, callback: Done): void
  export function stat (path: Path, callback: Callback<Stats>): void
  export function symlink (target: Path, path: Path, callback: Done): void
  export function truncate (path: Path, callback: Done): void
  export function truncate (path: Path, length: number, callback: Done): void
  export function unlink (path: Path, callback: Done): void
  export function utimes (path: Path, atime: Date | number | string, mtime: Date | number | string,
    callback: Done): void
  export function writeFile (path: Path, data: Data, callback: Done): void
  export function writeFile (path: Path, data: Data, options: WriteOptions | BufferEncoding | null,
    callback: Done): void

  /** A descriptor is a name that the host gave, good in this document alone, not a number. */
  export function open (path: Path, callback: Callback<string>): void
  export function open (path: Path, flags: OpenFlag, callback: Callback<string>): void
  export function open (path: Path, flags: OpenFlag, mode: Mode, callback: Callback<string>): void
  export function close (fd: string, callback: Done): void
  export function fstat (fd: string, callback: Callback<Stats>): void
  export function fsync (fd: string, callback: Done): void
  export function ftruncate (fd: string, callback: Done): void
  export function ftruncate (fd: string, length: number, callback: Done): void
  export function read<B extends ArrayBufferView> (
    fd: string, buffer: B, offset: number, length: number, position: number | null,
    callback: (error: any, bytesRead: number, buffer: B) => void
  ): void
  export function write<B extends ArrayBufferView> (
    fd: string, buffer: B, offset: number, length: number, position: number | null,
    callback: (error: any, bytesWritten: number, buffer: B) => void
  ): void
  export function write (
    fd: string, text: string, position: number | null, encoding: BufferEncoding,
    callback: (error: any, bytesWritten: number, text: string) => void
  ): void

  export function createReadStream (path: Path, options?: ReadStreamOptions | BufferEncoding): ReadStream
  export function createWriteStream (path: Path, options?: WriteStreamOptions | BufferEncoding): WriteStream
  export function watch (path: Path, listener?: (eventType: 'rename' | 'change', filename: string | null) =>
    void): FSWatcher
  export function watch (
    path: Path, options: WatchOptions | string | undefined,
    listener?: (eventType: 'rename' | 'change', filename: string | null) => void
  ): FSWatcher

  const fs: Omit<typeof import('socket:fs'), 'default' | 'F_OK' | 'R_OK' | 'W_OK' | 'X_OK' | 'Watcher'>
  export default fs
}
