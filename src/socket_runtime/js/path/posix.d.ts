declare module 'socket:path/posix' {
  import type { PlatformPath } from 'socket:path'

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
