/**
 * The URLs of Node.js before the web's `URL`: relative ones too, and of unknown schemes. They are read more
 * leniently, so never decide by them what may be reached.
 */
import querystring from '../querystring.js'

const HOSTLESS = new Set(['javascript:'])
const SLASHED = new Set(['http:', 'https:', 'ftp:', 'gopher:', 'file:', 'ws:', 'wss:'])

const PROTOCOL = /^[a-z0-9.+-]+:/i
const SIMPLE = /^(\/\/?(?!\/)[^?\s]*)(\?[^\s]*)?$/
const HOST_END = /[/?#]/
const NOT_HOST = /[%/?;#{}|\\^`<>"' \r\n\t]/
const HOST_PART = /^((?:[+a-z0-9_-]|[^\0-\x7f]){0,63})(.*)$/iu
const ESCAPED = /[{}|\\^`<>"' \r\n\t]/g
const MAX_HOST = 255

function checkText (value) {
  if (typeof value === 'string') return
  const received = value === null ? 'null' : typeof value
  const error = new TypeError(`The "url" argument must be of type string. Received ${received}`)
  error.code = 'ERR_INVALID_ARG_TYPE'
  throw error
}

/** The parts of a URL; what it has not is `null`. */
export class Url {
  protocol = null
  slashes = null
  auth = null
  host = null
  port = null
  hostname = null
  hash = null
  search = null
  query = null
  pathname = null
  path = null
  href = null

  /** Fill in from text. */
  parse (url, parseQueryString = false, slashesDenoteHost = false) {
    checkText(url)
    const text = straightened(url).trim()
    const simple = !slashesDenoteHost && !/#|^[^?]*@/.test(text) && SIMPLE.test(text)
    if (simple) return this.#parseSimple(text, parseQueryString)
    let rest = this.#takeProtocol(text)
    const protocol = this.protocol
    const slashes = rest.startsWith('//') && (slashesDenoteHost || protocol !== null || /^\/\/[^@/]+@[^@/]+/.test(rest))
    if (slashes && !HOSTLESS.has(protocol)) {
      rest = rest.slice(2)
      this.slashes = true
    }
    if (!HOSTLESS.has(protocol) && (slashes || (protocol !== null && !SLASHED.has(protocol)))) {
      rest = this.#takeHost(rest)
    }
    if (!HOSTLESS.has(protocol)) rest = rest.replace(ESCAPED, (char) => '%' + hex(char))
    this.#takePath(rest, parseQueryString)
    this.href = this.format()
    return this
  }

  #parseSimple (text, parseQueryString) {
    const [, pathname, search] = SIMPLE.exec(text)
    this.href = this.path = text
    this.pathname = pathname
    if (search !== undefined) {
      this.search = search
      this.query = parseQueryString ? querystring.parse(search.slice(1)) : search.slice(1)
    } else if (parseQueryString) {
      this.query = Object.create(null)
    }
    return this
  }

  #takeProtocol (text) {
    const found = PROTOCOL.exec(text)
    if (!found) return text
    this.protocol = found[0].toLowerCase()
    return text.slice(found[0].length)
  }

  /** `user:word@host:port`, all of it before the path; the rest is given back. */
  #takeHost (text) {
    const end = text.search(HOST_END)
    const at = end === -1 ? text.lastIndexOf('@') : text.lastIndexOf('@', end)
    if (at !== -1) {
      this.auth = decodeURIComponent(text.slice(0, at))
      text = text.slice(at + 1)
    }
    let stop = text.search(NOT_HOST)
    if (stop === -1) stop = text.length
    let rest = text.slice(stop)
    let host = text.slice(0, stop)
    const port = /:[0-9]*$/.exec(host)
    if (port) {
      if (port[0] !== ':') this.port = port[0].slice(1)
      host = host.slice(0, -port[0].length)
    }
    const numeric = host.startsWith('[') && host.endsWith(']')
    if (!numeric) {
      const [name, left] = validHost(host)
      host = name
      if (left) rest = `/${left}${rest}`
    }
    host = host.length > MAX_HOST ? '' : host.toLowerCase()
    if (!numeric) host = toAscii(host)
    this.host = host + (this.port ? `:${this.port}` : '')
    this.hostname = numeric ? host.slice(1, -1) : host
    if (numeric && rest[0] !== '/') rest = `/${rest}`
    return rest
  }

  #takePath (text, parseQueryString) {
    const hash = text.indexOf('#')
    if (hash !== -1) {
      this.hash = text.slice(hash)
      text = text.slice(0, hash)
    }
    const search = text.indexOf('?')
    if (search !== -1) {
      this.search = text.slice(search)
      this.query = text.slice(search + 1)
      if (parseQueryString) this.query = querystring.parse(this.query)
      text = text.slice(0, search)
    } else if (parseQueryString) {
      this.query = Object.create(null)
    }
    if (text) this.pathname = text
    if (SLASHED.has(this.protocol) && this.hostname && !this.pathname) this.pathname = '/'
    if (this.pathname || this.search) this.path = (this.pathname ?? '') + (this.search ?? '')
  }

  /** The text of it all. */
  format () {
    const auth = this.auth ? encodeURIComponent(this.auth).replace(/%3A/gi, ':') + '@' : ''
    const protocol = this.protocol && !this.protocol.endsWith(':') ? `${this.protocol}:` : this.protocol || ''
    let host = false
    if (this.host) {
      host = auth + this.host
    } else if (this.hostname) {
      const numeric = this.hostname.includes(':') && !this.hostname.startsWith('[')
      host = auth + (numeric ? `[${this.hostname}]` : this.hostname) + (this.port ? `:${this.port}` : '')
    }
    const query = this.query !== null && typeof this.query === 'object' ? querystring.stringify(this.query) : ''
    const search = leading('?', this.search || (query && `?${query}`) || '')
    const hash = leading('#', this.hash || '')
    let pathname = this.pathname || ''
    if (this.slashes || (SLASHED.has(protocol) && host)) {
      host = `//${host || ''}`
      if (pathname && pathname[0] !== '/') pathname = `/${pathname}`
    } else if (!host) {
      host = protocol === 'file:' ? '//' : ''
    }
    pathname = pathname.replace(/[?#]/g, encodeURIComponent)
    return protocol + host + pathname + search.replace('#', '%23') + hash
  }

  /** Where a link leads, as text. */
  resolve (relative) {
    return this.resolveObject(parse(relative, false, true)).format()
  }

  /** Where a link leads. */
  resolveObject (relative) {
    if (typeof relative === 'string') relative = parse(relative, false, true)
    const result = Object.assign(new Url(), this, { hash: relative.hash })
    if (relative.href !== '') follow(result, relative)
    result.href = result.format()
    return result
  }
}

/** Backslashes before the query mean slashes. */
function straightened (url) {
  const query = url.search(/[?#]/)
  const end = query === -1 ? url.length : query
  return url.slice(0, end).replaceAll('\\', '/') + url.slice(end)
}

const hex = (char) => char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')

const leading = (char, text) => text && text[0] !== char ? char + text : text

/** The part of a host's name that is one, and what is left over. */
function validHost (host) {
  const parts = host.split('.')
  for (let i = 0; i < parts.length; i++) {
    const [, valid, rest] = HOST_PART.exec(parts[i])
    if (rest === '') continue
    return [[...parts.slice(0, i), valid].join('.'), [rest, ...parts.slice(i + 1)].join('.')]
  }
  return [host, '']
}

/** Names in other scripts as the network knows them: the engine's own URL does that best. */
export function toAscii (host) {
  if (/^[\0-\x7f]*$/.test(host)) return host
  return URL.canParse?.(`http://${host}`) === false ? '' : asciiByUrl(host)
}

function asciiByUrl (host) {
  try {
    return new URL(`http://${host}`).hostname
  } catch {
    return ''
  }
}

/** Merge a link into `result`, which starts as the base (RFC 3986, 5.2, with the manners of Node.js). */
function follow (result, relative) {
  if (relative.slashes && !relative.protocol) {
    copy(result, relative, Object.keys(relative).filter((name) => name !== 'protocol' && name !== 'href'))
    if (SLASHED.has(result.protocol) && result.hostname && !result.pathname) result.path = result.pathname = '/'
    return
  }
  if (relative.protocol && relative.protocol !== result.protocol) return leave(result, relative)
  merge(result, relative)
}

function copy (target, source, names) {
  for (const name of names) target[name] = source[name]
}

/** To another scheme. */
function leave (result, relative) {
  const names = Object.keys(relative).filter((name) => typeof relative[name] !== 'function')
  if (!SLASHED.has(relative.protocol)) return copy(result, relative, names)
  result.protocol = relative.protocol
  if (!relative.host && !HOSTLESS.has(relative.protocol) && relative.protocol !== 'file:') {
    const parts = (relative.pathname || '').split('/')
    let host = parts.shift()
    while (parts.length && !host) host = parts.shift()
    relative = Object.assign(new Url(), relative, { host: host || '', hostname: host || '' })
    if (parts[0] !== '') parts.unshift('')
    if (parts.length < 2) parts.unshift('')
    result.pathname = parts.join('/')
  } else {
    result.pathname = relative.pathname
  }
  copy(result, relative, ['search', 'query', 'auth', 'port'])
  result.host = relative.host || ''
  result.hostname = relative.hostname || relative.host
  if (result.pathname || result.search) result.path = (result.pathname || '') + (result.search || '')
  result.slashes ||= relative.slashes
}

function merge (result, relative) {
  const fromRoot = result.pathname !== null && result.pathname.startsWith('/')
  const absolute = Boolean(relative.host || relative.pathname?.startsWith('/'))
  const endsAbsolute = absolute || fromRoot || Boolean(result.host && relative.pathname)
  const pushed = endsAbsolute
  let base = result.pathname?.split('/') ?? []
  const link = relative.pathname?.split('/') ?? []
  const slashless = result.protocol !== null && !SLASHED.has(result.protocol)
  let mustEndAbsolute = endsAbsolute

  if (slashless) { // 'mailto:', 'xx:': the host is as good as the first part of the path
    result.hostname = ''
    result.port = null
    if (result.host) {
      if (base[0] === '') base[0] = result.host
      else base.unshift(result.host)
    }
    result.host = ''
    if (relative.protocol) {
      if (relative.host) {
        if (link[0] === '') link[0] = relative.host
        else link.unshift(relative.host)
      }
      relative = Object.assign(new Url(), relative, { host: null, hostname: null, port: null })
    }
    mustEndAbsolute = mustEndAbsolute && (link[0] === '' || base[0] === '')
  }

  if (absolute) {
    if (relative.host || relative.host === '') {
      if (result.host !== relative.host) result.auth = null
      result.host = relative.host
      result.port = relative.port
    }
    if (relative.hostname || relative.hostname === '') {
      if (result.hostname !== relative.hostname) result.auth = null
      result.hostname = relative.hostname
    }
    copy(result, relative, ['search', 'query'])
    base = link
  } else if (link.length) {
    base = [...base.slice(0, -1), ...link]
    copy(result, relative, ['search', 'query'])
  } else if (relative.search !== null && relative.search !== undefined) {
    if (slashless) {
      result.hostname = result.host = base.shift() ?? ''
      splitAuth(result)
    }
    copy(result, relative, ['search', 'query'])
    result.path = pathOf(result) ?? result.path
    return
  }
  if (base.length === 0) {
    result.pathname = null
    result.path = result.search ? `/${result.search}` : null
    return
  }
  place(result, relative, base, { mustEndAbsolute, pushed, slashless })
}

function pathOf ({ pathname, search }) {
  return pathname === null && search === null ? null : (pathname || '') + (search || '')
}

function splitAuth (result) {
  const at = result.host && result.host.indexOf('@') > 0 ? result.host.split('@') : null
  if (!at) return
  result.auth = at.shift()
  result.host = result.hostname = at.shift()
}

/** Without `.` and `..`, and with what Node.js adds at both ends. */
function place (result, relative, parts, { mustEndAbsolute, pushed, slashless }) {
  const last = parts[parts.length - 1]
  const slash = ((result.host || relative.host || parts.length > 1) && (last === '.' || last === '..')) || last === ''
  const kept = []
  let above = 0
  for (const part of parts.slice().reverse()) {
    if (part === '.') continue
    if (part === '..') above++
    else if (above) above--
    else kept.unshift(part)
  }
  if (!mustEndAbsolute && !pushed) kept.unshift(...Array(above).fill('..'))
  if (mustEndAbsolute && kept[0] !== '' && (!kept[0] || kept[0][0] !== '/')) kept.unshift('')
  if (slash && !kept.join('/').endsWith('/')) kept.push('')
  const rooted = kept[0] === '' || (kept[0] && kept[0][0] === '/')
  if (slashless) {
    result.hostname = result.host = rooted ? '' : kept.shift() ?? ''
    splitAuth(result)
  }
  const ends = mustEndAbsolute || (result.host && kept.length)
  if (ends && !rooted) kept.unshift('')
  result.pathname = kept.length ? kept.join('/') : null
  result.path = pathOf(result)
  result.auth = relative.auth || result.auth
  result.slashes ||= relative.slashes
}

/** @returns {Url} */
export function parse (url, parseQueryString, slashesDenoteHost) {
  return url instanceof Url ? url : new Url().parse(url, parseQueryString, slashesDenoteHost)
}

export function resolve (from, to) {
  return parse(from, false, true).resolve(to)
}

export function resolveObject (from, to) {
  return from ? parse(from, false, true).resolveObject(to) : to
}
