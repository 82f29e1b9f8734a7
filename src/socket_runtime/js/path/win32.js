/** Paths with `\` and drives, with the semantics of Node.js. Slashes of both kinds separate. */
import { config } from '../_runtime.js'
import {
  BACKSLASH, COLON, SLASH, basenameOf, checkText, extensionAt, formatParts, lastSegment, normalizeSegments
} from './_common.js'

export const sep = '\\'
export const delimiter = ';'

const isSeparator = (code) => code === SLASH || code === BACKSLASH
const isSeparatorAt = (path, at) => at < path.length && isSeparator(path.charCodeAt(at))

function isDriveLetter (code) {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

/**
 * The root of a path: its length, its device (`C:`, `\\server\share` or nothing), and whether the path is
 * absolute.
 */
function rootOf (path) {
  if (path.length > 1 && isDriveLetter(path.charCodeAt(0)) && path.charCodeAt(1) === COLON) {
    const absolute = isSeparatorAt(path, 2)
    return { length: absolute ? 3 : 2, device: path.slice(0, 2), absolute, unc: false }
  }
  if (!isSeparatorAt(path, 0)) return { length: 0, device: '', absolute: false, unc: false }
  return shareOf(path) ?? { length: 1, device: '', absolute: true, unc: false }
}

/** The root of `\\server\share\...`, or `null` where there is no such thing. */
function shareOf (path) {
  if (!isSeparatorAt(path, 1)) return null
  const serverEnd = segmentEnd(path, 2)
  if (serverEnd === 2 || serverEnd === path.length) return null
  let shareStart = serverEnd
  while (isSeparatorAt(path, shareStart)) shareStart++
  if (shareStart === path.length) return null
  const shareEnd = segmentEnd(path, shareStart)
  const server = path.slice(2, serverEnd)
  const device = `\\\\${server}\\${path.slice(shareStart, shareEnd)}`
  const special = server === '.' || server === '?' // `\\.\PHYSICALDRIVE0`, `\\?\C:\...`
  return { length: shareEnd, device, absolute: true, unc: true, special: special ? `\\\\${server}` : '' }
}

function segmentEnd (path, from) {
  let at = from
  while (at < path.length && !isSeparator(path.charCodeAt(at))) at++
  return at
}

/** An absolute path: the arguments from the last absolute one on, of one and the same drive. */
export function resolve (...paths) {
  let device = ''
  let tail = ''
  let absolute = false
  for (let i = paths.length - 1; i >= -1 && !(absolute && device); i--) {
    const path = i >= 0 ? paths[i] : currentFolder(device)
    checkText(path, `paths[${i}]`)
    if (path === '') continue
    const root = deviceRootOf(path)
    if (device && root.device && root.device.toLowerCase() !== device.toLowerCase()) continue
    device ||= root.device
    if (absolute) continue
    tail = `${path.slice(root.length)}\\${tail}`
    absolute = root.absolute
  }
  const inner = normalizeSegments(tail, !absolute, '\\', isSeparator)
  return absolute ? `${device}\\${inner}` : `${device}${inner}` || '.'
}

/** The folder from which relative paths of a drive start. */
function currentFolder (device) {
  const cwd = config.cwd ?? '\\'
  const elsewhere = cwd.slice(0, 2).toLowerCase() !== device.toLowerCase() && cwd.charCodeAt(2) === BACKSLASH
  if (!device || !elsewhere) return cwd
  return `${device}\\`
}

export function normalize (path) {
  checkText(path, 'path')
  if (path === '') return '.'
  const root = reservedRootOf(path) ?? deviceRootOf(path)
  if (root.unc && root.length === path.length) return `${root.device}\\`
  let tail = normalizeSegments(path.slice(root.length), !root.absolute, '\\', isSeparator)
  if (tail === '' && !root.absolute) tail = '.'
  if (tail !== '' && isSeparatorAt(path, path.length - 1)) tail += '\\'
  const prefix = looksLikeDevice(path, tail, root) ? '.\\' : ''
  return `${prefix}${root.device}${root.absolute ? '\\' : ''}${tail}`
}

/** Like `rootOf`; but `\\.\` and `\\?\` are roots by themselves. */
function deviceRootOf (path) {
  const root = rootOf(path)
  return root.special ? { length: 4, device: root.special, absolute: true, unc: false } : root
}

const RESERVED = /^(?:CON|PRN|AUX|NUL|(?:COM|LPT)[1-9\u00b2\u00b3\u00b9]):/i

/** `NUL:` and its kin at the beginning. */
function reservedRootOf (path) {
  const [device] = RESERVED.exec(path) ?? []
  return device === undefined ? null : { length: device.length, device, absolute: false, unc: false }
}

/** Would Windows take a relative path for a drive's or a device's, now that it is normalized? */
function looksLikeDevice (path, tail, { absolute, device }) {
  if (path.length < 2) return false
  if (RESERVED.test(device)) return true
  if (absolute || device || !path.includes(':')) return false
  if (isDriveLetter(tail.charCodeAt(0)) && tail.charCodeAt(1) === COLON) return true
  for (let at = path.indexOf(':'); at !== -1; at = path.indexOf(':', at + 1)) {
    if (at === path.length - 1 || isSeparatorAt(path, at + 1)) return true
  }
  return false
}

export function isAbsolute (path) {
  checkText(path, 'path')
  return isSeparatorAt(path, 0) ||
    (path.length > 2 && isDriveLetter(path.charCodeAt(0)) && path.charCodeAt(1) === COLON && isSeparatorAt(path, 2))
}

export function join (...paths) {
  for (const path of paths) checkText(path, 'path')
  const parts = paths.filter((path) => path)
  if (parts.length === 0) return '.'
  const joined = parts.join('\\')
  return normalize(namesShare(parts[0]) ? joined : withoutShare(joined))
}

/** Two separators and a name. */
function namesShare (path) {
  return isSeparatorAt(path, 0) && isSeparatorAt(path, 1) && path.length > 2 && !isSeparatorAt(path, 2)
}

/** Joining must not make `\\server\share` out of parts of which the first was not meant as that. */
function withoutShare (joined) {
  let separators = 0
  while (isSeparatorAt(joined, separators)) separators++
  return separators >= 2 ? `\\${joined.slice(separators)}` : joined
}

export function relative (from, to) {
  checkText(from, 'from')
  checkText(to, 'to')
  if (from === to) return ''
  const source = resolve(from)
  const target = resolve(to)
  if (source.toLowerCase() === target.toLowerCase()) return ''
  const sources = source.split('\\').filter((segment) => segment)
  const targets = target.split('\\').filter((segment) => segment)
  let shared = 0
  while (shared < sources.length && shared < targets.length &&
    sources[shared].toLowerCase() === targets[shared].toLowerCase()) shared++
  if (shared === 0) return target
  return [...sources.slice(shared).map(() => '..'), ...targets.slice(shared)].join('\\')
}

/** With the `\\?\` that lifts Windows' limits. */
export function toNamespacedPath (path) {
  if (typeof path !== 'string' || path === '') return path
  const resolved = resolve(path)
  if (resolved.length <= 2) return path
  if (resolved.startsWith('\\\\')) {
    return resolved[2] === '?' || resolved[2] === '.' ? path : `\\\\?\\UNC\\${resolved.slice(2)}`
  }
  return isDriveLetter(resolved.charCodeAt(0)) && resolved[1] === ':' && resolved[2] === '\\'
    ? `\\\\?\\${resolved}`
    : path
}

export function dirname (path) {
  checkText(path, 'path')
  if (path === '') return '.'
  const root = rootOf(path)
  const end = root.unc && isSeparatorAt(path, root.length) ? root.length + 1 : root.length
  const [start] = lastSegment(path, end, isSeparator)
  if (start > end) return path.slice(0, start - 1)
  if (root.unc && root.length === path.length) return path
  return end === 0 ? '.' : path.slice(0, end)
}

export function basename (path, suffix) {
  if (suffix !== undefined) checkText(suffix, 'suffix')
  checkText(path, 'path')
  return basenameOf(path, suffix, driveEnd(path), isSeparator)
}

export function extname (path) {
  checkText(path, 'path')
  const [start, end] = lastSegment(path, driveEnd(path), isSeparator)
  return path.slice(extensionAt(path, start, end), end)
}

function driveEnd (path) {
  return path.length >= 2 && isDriveLetter(path.charCodeAt(0)) && path.charCodeAt(1) === COLON ? 2 : 0
}

export function format (pathObject) {
  return formatParts(pathObject, '\\')
}

export function parse (path) {
  checkText(path, 'path')
  const { length, unc } = rootOf(path)
  const end = unc && isSeparatorAt(path, length) ? length + 1 : length
  const root = path.slice(0, end)
  const [start, stop] = lastSegment(path, end, isSeparator)
  const dot = extensionAt(path, start, stop)
  return {
    root,
    dir: start > end ? path.slice(0, start - 1) : root,
    base: path.slice(start, stop),
    ext: path.slice(dot, stop),
    name: path.slice(start, dot)
  }
}

const win32 = {
  sep,
  delimiter,
  resolve,
  normalize,
  isAbsolute,
  join,
  relative,
  toNamespacedPath,
  dirname,
  basename,
  extname,
  format,
  parse
}
win32.win32 = win32

export { win32 }
export default win32
