/**
 * Files and folders, with the names and manners of Node.js's `fs/promises`. Relative paths start at the
 * app's resources; what may be reached, the grants in `socket.ini` say.
 */
import { runtime } from '../_runtime.js'
import { call, upload } from '../ipc.js'
import * as constants from './constants.js'
import { Dir, Dirent } from './dir.js'
import { FileHandle } from './handle.js'
import { decoded, encoded, encodedMany, isMany } from './_data.js'
import { flagOf, modeOf, optionsOf, secondsOf } from './_options.js'
import { invalid, toPath } from './_path.js'
import { Stats } from './stats.js'
import { changes } from './watcher.js'

export { constants, Dir, Dirent, FileHandle, Stats }

const MAX_BODY = 32 << 20 // bytes of one request; more travels as an upload

/** Can it be reached (and read, written, run, as `mode` says)? */
export async function access (path, mode = constants.F_OK) {
  await call('fs.access', { path: toPath(path), mode })
}

export async function appendFile (path, data, options) {
  if (path instanceof FileHandle) return path.appendFile(data, options)
  const given = optionsOf(options)
  const bytes = isMany(data) ? null : encoded(data, given.encoding)
  const plain = bytes && bytes.length <= MAX_BODY && given.flag === undefined
  if (!plain) return writeFile(path, data, { ...given, flag: given.flag ?? 'a' })
  await call('fs.appendFile', { path: toPath(path), mode: modeOf(given.mode) }, { body: bytes, signal: given.signal })
}

export async function chmod (path, mode) {
  await call('fs.chmod', { path: toPath(path), mode: modeOf(mode) })
}

/** `mode`: `constants.COPYFILE_EXCL` refuses to overwrite. */
export async function copyFile (src, dest, mode = 0) {
  const exclusive = (mode & constants.COPYFILE_EXCL) !== 0
  await call('fs.copyFile', { src: toPath(src, 'src'), dest: toPath(dest, 'dest'), exclusive })
}

export async function cp (src, dest, options = {}) {
  for (const option of ['filter', 'dereference', 'preserveTimestamps', 'verbatimSymlinks', 'errorOnExist']) {
    if (options[option]) throw invalid(option, 'is not offered')
  }
  await call('fs.cp', { src: toPath(src, 'src'), dest: toPath(dest, 'dest'), recursive: options.recursive })
}

export async function link (existing, path) {
  await call('fs.link', { src: toPath(existing, 'existingPath'), dest: toPath(path, 'newPath') })
}

export async function lstat (path, options) {
  optionsOf(options)
  return new Stats(await call('fs.lstat', { path: toPath(path) }))
}

export async function mkdir (path, options) {
  const { recursive, mode } = typeof options === 'object' && options !== null ? options : { mode: options }
  await call('fs.mkdir', { path: toPath(path), recursive, mode: modeOf(mode) })
}

/** A new folder of a name that nobody else has; resolves to its path. */
export async function mkdtemp (prefix, options) {
  optionsOf(options)
  const { path } = await call('fs.mkdtemp', { prefix: toPath(prefix, 'prefix') })
  return path
}

export function open (path, flags, mode) {
  return FileHandle.open(path, flags, mode)
}

export async function opendir (path, options) {
  const name = toPath(path)
  const found = await entries(name, options?.recursive) // now, so that a refusal is told by `opendir`
  return new Dir(name, found)
}

/** The host tells each entry's folder as a path that starts like `path`. */
async function entries (path, recursive) {
  const found = await call('fs.readdir', { path, recursive })
  return found.map(({ name, type, parent }) => new Dirent(name, type, parent))
}

/** Names; with `withFileTypes`, Dirents; with `recursive`, of all folders below too. */
export async function readdir (path, options) {
  const { withFileTypes, recursive, encoding } = optionsOf(options)
  const name = toPath(path)
  if (withFileTypes) return entries(name, recursive)
  const top = name.replace(/\/+$/, '')
  const names = (await entries(name, recursive)).map((entry) => {
    const below = entry.parentPath.slice(top.length).replace(/^\/+/, '')
    return below ? `${below}/${entry.name}` : entry.name
  })
  return encoding === 'buffer' ? names.map((one) => encoded(one)) : names
}

/** The whole file: a Buffer, or text in an encoding. */
export async function readFile (path, options) {
  const { encoding, signal, flag } = optionsOf(options)
  if (path instanceof FileHandle) return path.readFile(options)
  if (flag !== undefined && flag !== 'r') return readOpened(path, flag, options)
  const bytes = await call('fs.readFile', { path: toPath(path) }, { signal, bulk: runtime !== undefined, timeout: 0 })
  return decoded(bytes, encoding)
}

async function readOpened (path, flag, options) {
  const handle = await open(path, flag)
  try {
    return await handle.readFile(options)
  } finally {
    await handle.close()
  }
}

export async function readlink (path, options) {
  return shown(await call('fs.readlink', { path: toPath(path) }), options)
}

export async function realpath (path, options) {
  return shown(await call('fs.realpath', { path: toPath(path) }), options)
}

function shown (path, options) {
  return optionsOf(options).encoding === 'buffer' ? encoded(path) : path
}

export async function rename (from, to) {
  await call('fs.rename', { src: toPath(from, 'oldPath'), dest: toPath(to, 'newPath') })
}

export async function rm (path, options = {}) {
  await call('fs.rm', { path: toPath(path), recursive: options.recursive, force: options.force })
}

export async function rmdir (path) {
  await call('fs.rmdir', { path: toPath(path) })
}

/** The folders that the grants name: `{ resources, data, home, ... }`. */
export async function roots () {
  const found = await call('fs.roots')
  return Object.fromEntries(Object.entries(found).map(([name, path]) => [name.toLowerCase(), path]))
}

export async function stat (path, options) {
  optionsOf(options)
  return new Stats(await call('fs.stat', { path: toPath(path) }))
}

export async function symlink (target, path) {
  await call('fs.symlink', { target: toPath(target, 'target'), path: toPath(path) })
}

export async function truncate (path, length = 0) {
  await call('fs.truncate', { path: toPath(path), length })
}

export async function unlink (path) {
  await call('fs.unlink', { path: toPath(path) })
}

export async function utimes (path, atime, mtime) {
  const times = { atime: secondsOf(atime, 'atime'), mtime: secondsOf(mtime, 'mtime') }
  await call('fs.utimes', { path: toPath(path), ...times })
}

/** What changes at a path: an async iterator of `{ eventType, filename }`. */
export function watch (path, options) {
  return changes(path, options)
}

/**
 * Replace the file's content.
 * @param {string | URL | Uint8Array | FileHandle} path
 * @param {string | ArrayBufferView | ArrayBuffer | Blob | ReadableStream | Iterable | AsyncIterable} data
 */
export async function writeFile (path, data, options) {
  if (path instanceof FileHandle) return path.writeFile(data, options)
  const { encoding, mode, flag, signal } = optionsOf(options)
  const args = { path: toPath(path), mode: modeOf(mode), flag: flagOf(flag, undefined) }
  if (isMany(data)) return void await upload('fs.writeStream', args, encodedMany(data, encoding), { signal })
  const body = encoded(data, encoding)
  if (body.length > MAX_BODY) return void await upload('fs.writeStream', args, body, { signal })
  await call('fs.writeFile', args, { body, signal, timeout: 0 })
}

const promises = {
  access,
  appendFile,
  chmod,
  constants,
  copyFile,
  cp,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  opendir,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  roots,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  watch,
  writeFile
}

export default promises
