/** Paths of this system: `path/posix`, or `path/win32` on Windows. */
import { config } from './_runtime.js'
import posix from './path/posix.js'
import win32 from './path/win32.js'

const path = config.platform === 'win32' ? win32 : posix

export const {
  sep, delimiter, resolve, normalize, isAbsolute, join, relative, toNamespacedPath, dirname, basename, extname,
  format, parse
} = path
export { posix, win32 }
export default path
