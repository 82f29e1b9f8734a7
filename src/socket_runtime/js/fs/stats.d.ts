declare module 'socket:fs/stats' {
  /** What is known of a file. Times are in milliseconds since 1970, and once more as Dates. */
  export class Stats {
    constructor (facts: object)
    readonly dev: number
    readonly ino: number
    readonly mode: number
    readonly nlink: number
    readonly uid: number
    readonly gid: number
    readonly rdev: number
    readonly size: number
    readonly blksize: number
    readonly blocks: number
    readonly atimeMs: number
    readonly mtimeMs: number
    readonly ctimeMs: number
    readonly birthtimeMs: number
    readonly atime: Date
    readonly mtime: Date
    readonly ctime: Date
    readonly birthtime: Date
    isFile (): boolean
    isDirectory (): boolean
    isSymbolicLink (): boolean
    isFIFO (): boolean
    isSocket (): boolean
    isCharacterDevice (): boolean
    isBlockDevice (): boolean
  }

  export default Stats
}
