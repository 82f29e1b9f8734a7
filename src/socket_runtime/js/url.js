/** The web's URL, and the older functions of Node.js. */
import { config } from './_runtime.js'
import posix from './path/posix.js'
import win32 from './path/win32.js'
import { Url, parse, resolve, resolveObject, toAscii } from './url/_legacy.js'

export const { URL, URLSearchParams } = globalThis
export { Url, parse, resolve, resolveObject }

function typed (Kind, message, code) {
  const error = new Kind(message)
  error.code = code
  return error
}

/**
 * The text of a URL.
 * @param {string | URL | object} url text, a URL, or the parts of one
 * @param {{auth?: boolean, fragment?: boolean, search?: boolean}} [options] what to leave out of a URL
 */
export function format (url, options) {
  if (typeof url === 'string') return parse(url).format()
  if (typeof url !== 'object' || url === null) {
    throw typed(TypeError, `The "urlObject" argument must be one of type object or string. Received ${String(url)}`,
      'ERR_INVALID_ARG_TYPE')
  }
  if (url instanceof URL) return formatUrl(url, options)
  return Url.prototype.format.call(url)
}

function formatUrl (url, { auth = true, fragment = true, search = true } = {}) {
  const copy = new URL(url)
  if (!auth) copy.username = copy.password = ''
  if (!fragment) copy.hash = ''
  if (!search) copy.search = ''
  return copy.href
}

/** A host's name as the network knows it; empty when it can be none. */
export function domainToASCII (domain) {
  return toAscii(String(domain).toLowerCase())
}

/**
 * The path that a `file:` URL names.
 * @param {{windows?: boolean}} [options] this system's kind unless it says otherwise
 */
export function fileURLToPath (url, { windows = config.platform === 'win32' } = {}) {
  if (typeof url === 'string') url = new URL(url)
  if (!(url instanceof URL)) {
    throw typed(TypeError, 'The "path" argument must be of type string or an instance of URL', 'ERR_INVALID_ARG_TYPE')
  }
  if (url.protocol !== 'file:') throw typed(TypeError, 'The URL must be of scheme file', 'ERR_INVALID_URL_SCHEME')
  return windows ? windowsPath(url) : posixPath(url)
}

function posixPath (url) {
  if (url.hostname !== '') {
    throw typed(TypeError, 'File URL host must be "localhost" or empty', 'ERR_INVALID_FILE_URL_HOST')
  }
  if (/%2f/i.test(url.pathname)) {
    throw typed(TypeError, 'File URL path must not include encoded / characters', 'ERR_INVALID_FILE_URL_PATH')
  }
  return decodeURIComponent(url.pathname)
}

function windowsPath (url) {
  if (/%2f|%5c/i.test(url.pathname)) {
    throw typed(TypeError, 'File URL path must not include encoded \\ or / characters', 'ERR_INVALID_FILE_URL_PATH')
  }
  const path = decodeURIComponent(url.pathname).replaceAll('/', '\\')
  if (url.hostname !== '') return `\\\\${url.hostname}${path}`
  if (!/^\\[a-z]:/i.test(path)) throw typed(TypeError, 'File URL path must be absolute', 'ERR_INVALID_FILE_URL_PATH')
  return path.slice(1)
}

const ESCAPED = /[%\\\n\r\t?#]/g

/** The `file:` URL of a path. */
export function pathToFileURL (path, { windows = config.platform === 'win32' } = {}) {
  const { resolve: resolvePath } = windows ? win32 : posix
  const ends = windows ? /[\\/]$/ : /\/$/
  const absolute = resolvePath(path)
  const kept = ends.test(path) && !ends.test(absolute) ? `${absolute}/` : absolute
  const url = new URL('file:///')
  if (windows && kept.startsWith('\\\\')) {
    const [host, ...rest] = kept.slice(2).split('\\')
    url.hostname = host
    url.pathname = rest.join('/').replace(ESCAPED, encodeURIComponent)
  } else {
    url.pathname = (windows ? kept.replaceAll('\\', '/') : kept).replace(ESCAPED, encodeURIComponent)
  }
  return url
}

/** A URL as the options of an HTTP request. */
export function urlToHttpOptions (url) {
  const options = {
    protocol: url.protocol,
    hostname: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    hash: url.hash,
    search: url.search,
    pathname: url.pathname,
    path: `${url.pathname}${url.search}`,
    href: url.href
  }
  if (url.port !== '') options.port = Number(url.port)
  if (url.username || url.password) {
    options.auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  }
  return options
}

export default {
  URL,
  URLSearchParams,
  Url,
  domainToASCII,
  fileURLToPath,
  format,
  parse,
  pathToFileURL,
  resolve,
  resolveObject,
  urlToHttpOptions
}
