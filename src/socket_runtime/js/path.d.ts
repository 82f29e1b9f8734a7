declare module 'socket:path' {
  export interface ParsedPath {
    root: string
    dir: string
    base: string
    ext: string
    name: string
  }

  export interface PlatformPath {
    /** `/` or `\`. */
    readonly sep: '/' | '\\'
    /** `:` or `;`. */
    readonly delimiter: ':' | ';'
    /** An absolute path: the arguments from the last absolute one on. */
    resolve (...paths: string[]): string
    normalize (path: string): string
    isAbsolute (path: string): boolean
    join (...paths: string[]): string
    /** The way from one path to the other. */
    relative (from: string, to: string): string
    toNamespacedPath (path: string): string
    dirname (path: string): string
    basename (path: string, suffix?: string): string
    extname (path: string): string
    format (parts: Partial<ParsedPath>): string
    parse (path: string): ParsedPath
    readonly posix: PlatformPath
    readonly win32: PlatformPath
  }

  export const sep: PlatformPath['sep']
  export const delimiter: PlatformPath['delimiter']
  export const resolve: PlatformPath['resolve']
  export const normalize: PlatformPath['normalize']
  export const isAbsolute: PlatformPath['isAbsolute']
  export const join: PlatformPath['join']
  export const relative: PlatformPath['relative']
  export const toNamespacedPath: PlatformPath['toNamespacedPath']
  export const dirname: PlatformPath['dirname']
  export const basename: PlatformPath['basename']
  export const extname: PlatformPath['extname']
  export const format: PlatformPath['format']
  export const parse: PlatformPath['parse']
  export const posix: PlatformPath
  export const win32: PlatformPath

  const path: PlatformPath
  export default path
}
