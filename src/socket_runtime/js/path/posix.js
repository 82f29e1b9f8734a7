/** Paths with `/`, with the semantics of Node.js. */
import { config } from '../_runtime.js'
import {
  SLASH, basenameOf, checkText, extensionAt, formatParts, lastSegment, normalizeSegments
} from './_common.js'
import win32 from './win32.js'

export const sep = '/'
export const delimiter = ':'

const isSlash = (code) => code === SLASH
const isRooted = (path) => path.charCodeAt(0) === SLASH

/** An absolute path: the arguments from the last absolute one on, or from the app's folder. */
export function resolve (...paths) {
  let resolved = ''
  for (let i = paths.length - 1; i >= 0 && !isRooted(resolved); i--) {
    checkText(paths[i], `paths[${i}]`)
    if (paths[i]) resolved = `${paths[i]}/${resolved}`
  }
  if (!isRooted(resolved)) resolved = `${config.cwd ?? '/'}/${resolved}`
  return '/' + normalizeSegments(resolved, false, '/', isSlash)
}

/** Without `.`, `..` and double slashes; a trailing slash stays. */
export function normalize (path) {
  checkText(path, 'path')
  if (path === '') return '.'
  const root = isRooted(path) ? '/' : ''
  const inner = normalizeSegments(path, root === '', '/', isSlash)
  const trailing = path.charCodeAt(path.length - 1) === SLASH
  if (inner === '') return root || (trailing ? './' : '.')
  return root + inner + (trailing ? '/' : '')
}

export function isAbsolute (path) {
  checkText(path, 'path')
  return isRooted(path)
}

/** All arguments as one normalized path. */
export function join (...paths) {
  for (const path of paths) checkText(path, 'path')
  const joined = paths.filter((path) => path).join('/')
  return joined === '' ? '.' : normalize(joined)
}

/** The way from one path to the other. */
export function relative (from, to) {
  checkText(from, 'from')
  checkText(to, 'to')
  if (from === to) return ''
  const source = segments(resolve(from))
  const target = segments(resolve(to))
  let shared = 0
  while (shared < source.length && shared < target.length && source[shared] === target[shared]) shared++
  const up = source.slice(shared).map(() => '..')
  return [...up, ...target.slice(shared)].join('/')
}

const segments = (path) => path.split('/').filter((segment) => segment)

/** Nothing to do on POSIX. */
export function toNamespacedPath (path) {
  return path
}

export function dirname (path) {
  checkText(path, 'path')
  const [start, end] = lastSegment(path, 0, isSlash)
  const cut = start - 1 // one separator belongs to neither part; more of them stay, as in Node.js
  if (start === end || cut < 1) return isRooted(path) ? '/' : '.'
  return isRooted(path) && cut === 1 ? '//' : path.slice(0, cut)
}

export function basename (path, suffix) {
  if (suffix !== undefined) checkText(suffix, 'suffix')
  checkText(path, 'path')
  return basenameOf(path, suffix, 0, isSlash)
}

export function extname (path) {
  checkText(path, 'path')
  const [start, end] = lastSegment(path, 0, isSlash)
  return path.slice(extensionAt(path, start, end), end)
}

export function format (pathObject) {
  return formatParts(pathObject, '/')
}

export function parse (path) {
  checkText(path, 'path')
  const root = isRooted(path) ? '/' : ''
  const [start, end] = lastSegment(path, root.length, isSlash)
  let dot = extensionAt(path, start, end)
  if (root && start === 1 && path.slice(start, end) === '..') dot = end - 1 // what Node.js says of '/..'
  return {
    root,
    dir: start > root.length ? path.slice(0, start - 1) : root,
    base: path.slice(start, end),
    ext: path.slice(dot, end),
    name: path.slice(start, dot)
  }
}

const posix = {
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
  parse,
  win32
}
posix.posix = posix
win32.posix = posix

export { posix, win32 }
export default posix
