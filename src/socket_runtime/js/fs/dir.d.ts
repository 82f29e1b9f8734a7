declare module 'socket:fs/dir' {
  type Callback<T> = (error: any, value: T) => void

  /** One name in a folder. */
  export class Dirent {
    constructor (name: string, type: string, parentPath: string)
    readonly name: string
    readonly parentPath: string
    /** The same as `parentPath`. */
    readonly path: string
    isFile (): boolean
    isDirectory (): boolean
    isSymbolicLink (): boolean
    isFIFO (): boolean
    isSocket (): boolean
    isCharacterDevice (): boolean
    isBlockDevice (): boolean
  }

  /** A folder that is read entry by entry. */
  export class Dir implements AsyncIterable<Dirent> {
    constructor (path: string, entries: Dirent[])
    readonly path: string
    /** The next entry; `null` after the last. */
    read (): Promise<Dirent | null>
    read (callback: Callback<Dirent | null>): void
    close (): Promise<void>
    close (callback: Callback<void>): void
    [Symbol.asyncIterator] (): AsyncGenerator<Dirent>
  }

  /** The promise itself, or its outcome told to a Node.js callback. */
  export function told<T> (promise: Promise<T>): Promise<T>
  export function told<T> (promise: Promise<T>, callback: Callback<T> | undefined): Promise<T> | undefined

  export default Dir
}
