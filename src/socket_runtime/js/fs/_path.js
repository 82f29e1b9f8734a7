import { runtime } from '../_runtime.js'

/**
 * A path as text: of a string, of bytes, or of a URL (`file:`, or `socket:` for the app's own files).
 * @throws {TypeError}
 */
export function toPath (path, name = 'path') {
  if (typeof path === 'string') return checked(path, name)
  if (path instanceof Uint8Array) return checked(new TextDecoder().decode(path), name)
  if (path instanceof URL) return checked(fromUrl(path), name)
  const error = new TypeError(`The "${name}" argument must be of type string or an instance of Buffer or URL`)
  error.code = 'ERR_INVALID_ARG_TYPE'
  throw error
}

function checked (path, name) {
  if (!path.includes('\0')) return path
  throw invalid(name, 'must be a string, Uint8Array, or URL without null bytes')
}

function fromUrl (url) {
  const own = url.protocol === 'socket:' && url.href.startsWith(`${runtime?.origin}/`)
  if (!own && (url.protocol !== 'file:' || url.hostname !== '')) {
    throw invalid('path', "must be a file: URL, or one of the app's own origin")
  }
  if (/%2f/i.test(url.pathname)) throw invalid('path', 'must not include encoded / characters')
  const path = decodeURIComponent(url.pathname)
  if (own) return path.slice(1)
  return /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path // file:///C:/...
}

/** The error for an argument of the right type and a wrong value. */
export function invalid (name, rule) {
  const error = new TypeError(`The argument '${name}' ${rule}`)
  error.code = 'ERR_INVALID_ARG_VALUE'
  return error
}
