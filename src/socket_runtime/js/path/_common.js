/** What both kinds of path share. A path is walked by character codes, never by regular expressions. */

export const DOT = 46
export const SLASH = 47
export const BACKSLASH = 92
export const COLON = 58

/** @throws {TypeError} `value` is not text */
export function checkText (value, name) {
  if (typeof value === 'string') return
  const error = new TypeError(`The "${name}" argument must be of type string. Received ${describe(value)}`)
  error.code = 'ERR_INVALID_ARG_TYPE'
  throw error
}

function describe (value) {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`
  return `type ${typeof value} (${String(value)})`
}

/**
 * `path` without `.`, `..` and empty segments.
 * @param {string} path without its root
 * @param {boolean} climbs whether leading `..` are kept
 * @param {string} separator
 * @param {(code: number) => boolean} isSeparator
 */
export function normalizeSegments (path, climbs, separator, isSeparator) {
  const kept = []
  let floor = 0 // so many `..` lead the result
  let start = 0
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && !isSeparator(path.charCodeAt(i))) continue
    const segment = path.slice(start, i)
    start = i + 1
    if (segment === '' || segment === '.') continue
    if (segment !== '..') {
      kept.push(segment)
    } else if (kept.length > floor) {
      kept.pop()
    } else if (climbs) {
      kept.push('..')
      floor++
    }
  }
  return kept.join(separator)
}

/** Where the last segment begins and ends, trailing separators left out: `[start, end)`. */
export function lastSegment (path, from, isSeparator) {
  let end = path.length
  while (end > from && isSeparator(path.charCodeAt(end - 1))) end--
  let start = end
  while (start > from && !isSeparator(path.charCodeAt(start - 1))) start--
  return [start, end]
}

/** Where the extension of a segment begins, or its end when it has none: `.a`, `..` and `a` have none. */
export function extensionAt (path, start, end) {
  for (let i = end - 1; i > start; i--) {
    if (path.charCodeAt(i) !== DOT) continue
    return i === start + 1 && end === start + 2 && path.charCodeAt(start) === DOT ? end : i
  }
  return end
}

/** The last segment, less `suffix` where it is not all of it; the odd cases are those of Node.js. */
export function basenameOf (path, suffix, from, isSeparator) {
  const [start, end] = lastSegment(path, from, isSeparator)
  const base = path.slice(start, end)
  if (!suffix || suffix.length > path.length) return base
  if (suffix === path) return ''
  if (suffix.endsWith(base) && suffix !== base) return path.slice(start)
  return base.endsWith(suffix) && base !== suffix ? base.slice(0, -suffix.length) : base
}

/** The inverse of `parse`. */
export function formatParts (parts, separator) {
  if (parts === null || typeof parts !== 'object' || Array.isArray(parts)) {
    const error = new TypeError(
      `The "pathObject" argument must be of type object. Received ${describe(parts)}`)
    error.code = 'ERR_INVALID_ARG_TYPE'
    throw error
  }
  const dir = parts.dir || parts.root
  const extension = parts.ext ? (parts.ext[0] === '.' ? parts.ext : `.${parts.ext}`) : ''
  const base = parts.base || `${parts.name || ''}${extension}`
  if (!dir) return base
  return dir === parts.root ? `${dir}${base}` : `${dir}${separator}${base}`
}
