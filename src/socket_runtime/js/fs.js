/**
 * Files and folders, with the names and callbacks of Node.js's `fs`.
 *
 * Not here, since it could not be done honestly: the functions that end in `Sync` (a page cannot wait for
 * Python without freezing the window), `chown`, `lchown`, `lchmod`, `lutimes`, `readv`, `writev`, `statfs`,
 * `watchFile`, and numeric flags.
 */
import * as constants from './fs/constants.js'
import { Dir, Dirent, told } from './fs/dir.js'
import { FileHandle } from './fs/handle.js'
import promises from './fs/promises.js'
import { Stats } from './fs/stats.js'
import { ReadStream, WriteStream } from './fs/stream.js'
import { FSWatcher } from './fs/watcher.js'

export { constants, Dir, Dirent, FileHandle, FSWatcher, FSWatcher as Watcher, promises, ReadStream, Stats, WriteStream }
export { F_OK, R_OK, W_OK, X_OK } from './fs/constants.js'

/** The same with a callback `(err, value)` as the last argument. */
function calledBack (method) {
  const named = function (...args) {
    const callback = args.pop()
    if (typeof callback !== 'function') {
      const error = new TypeError('The "cb" argument must be of type function')
      error.code = 'ERR_INVALID_ARG_TYPE'
      throw error
    }
    told(attempt(method, args), outside(callback))
  }
  Object.defineProperty(named, 'name', { value: method.name })
  return named
}

async function attempt (method, args) {
  return method(...args)
}

/** An error that the callback throws is the page's, and must not look like ours. */
function outside (callback) {
  return (...values) => {
    try {
      callback(...values)
    } catch (error) {
      reportError(error)
    }
  }
}

export const access = calledBack(promises.access)
export const appendFile = calledBack(promises.appendFile)
export const chmod = calledBack(promises.chmod)
export const copyFile = calledBack(promises.copyFile)
export const cp = calledBack(promises.cp)
export const link = calledBack(promises.link)
export const lstat = calledBack(promises.lstat)
export const mkdir = calledBack(promises.mkdir)
export const mkdtemp = calledBack(promises.mkdtemp)
export const opendir = calledBack(promises.opendir)
export const readFile = calledBack(promises.readFile)
export const readdir = calledBack(promises.readdir)
export const readlink = calledBack(promises.readlink)
export const realpath = calledBack(promises.realpath)
export const rename = calledBack(promises.rename)
export const rm = calledBack(promises.rm)
export const rmdir = calledBack(promises.rmdir)
export const stat = calledBack(promises.stat)
export const symlink = calledBack(promises.symlink)
export const truncate = calledBack(promises.truncate)
export const unlink = calledBack(promises.unlink)
export const utimes = calledBack(promises.utimes)
export const writeFile = calledBack(promises.writeFile)

/** Calls back with a descriptor: a name for `read`, `write`, `close` and the like. */
export const open = calledBack(async function open (path, flags, mode) {
  return (await FileHandle.open(path, flags, mode)).fd
})

const handle = (fd) => new FileHandle(fd)

export const close = calledBack(async function close (fd) {
  await handle(fd).close()
})
export const fstat = calledBack(async function fstat (fd) {
  return handle(fd).stat()
})
export const ftruncate = calledBack(async function ftruncate (fd, length) {
  await handle(fd).truncate(length)
})
export const fsync = calledBack(async function fsync (fd) {
  await handle(fd).sync()
})

/** `(err, bytesRead, buffer)`. */
export function read (fd, ...args) {
  const callback = outside(args.pop())
  handle(fd).read(...args).then(({ bytesRead, buffer }) => callback(null, bytesRead, buffer), callback)
}

/** `(err, bytesWritten, buffer)`. */
export function write (fd, ...args) {
  const callback = outside(args.pop())
  handle(fd).write(...args).then(({ bytesWritten, buffer }) => callback(null, bytesWritten, buffer), callback)
}

/** Calls back with `true` or `false` alone. */
export function exists (path, callback) {
  const tell = outside(callback)
  attempt(promises.access, [path]).then(() => tell(true), () => tell(false))
}

export function createReadStream (path, options) {
  return new ReadStream(path, options)
}

export function createWriteStream (path, options) {
  return new WriteStream(path, options)
}

/** An emitter of what changes; a function is told each `change`. */
export function watch (path, options, listener) {
  if (typeof options === 'function') [options, listener] = [undefined, options]
  const watcher = new FSWatcher(path, options)
  if (listener) watcher.on('change', listener)
  return watcher
}

export default {
  access,
  appendFile,
  chmod,
  close,
  constants,
  copyFile,
  cp,
  createReadStream,
  createWriteStream,
  exists,
  fstat,
  fsync,
  ftruncate,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  opendir,
  promises,
  read,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  watch,
  write,
  writeFile,
  Dir,
  Dirent,
  FSWatcher,
  FileHandle,
  ReadStream,
  Stats,
  WriteStream
}
