// Runs once in the top document of an app's page, before any script of the page, and in no other frame.
// The host evaluates this file's function with the document's token and a plain object of facts.
//
// It keeps its own references to all that it uses: what a page (or a script that got into one) overrides
// later must neither see the token nor change what is sent. What it defines for others:
//
//   globalThis[Symbol.for('socket.runtime')]       for the `socket:` modules; frozen, not enumerable
//   globalThis[Symbol.for('socket.runtime.host')]  for the host's constant programs
//
// Calling either from the page is harmless: they carry no right that the page has not.
(function preload (token, config) {
  'use strict'
  if (globalThis.location.origin !== config.origin) return

  const uncurry = (fn) => Function.prototype.call.bind(fn)
  const getter = (object, name) => uncurry(Object.getOwnPropertyDescriptor(object, name).get)
  const {
    Array, ArrayBuffer, Blob, CustomEvent, DOMException, Error, FormData, Headers, JSON, Map, Object, Promise,
    ReadableStream, Request, Response, String, Symbol, TextEncoder, TypeError, Uint8Array, URL, WeakMap,
    XMLHttpRequest, console, document, fetch, setTimeout
  } = globalThis
  const startsWith = uncurry(String.prototype.startsWith)
  const slice = uncurry(String.prototype.slice)
  const toLowerCase = uncurry(String.prototype.toLowerCase)
  const join = uncurry(Array.prototype.join)
  const push = uncurry(Array.prototype.push)
  const splice = uncurry(Array.prototype.splice)
  const replace = uncurry(String.prototype.replace)
  const then = uncurry(Promise.prototype.then)
  const mapGet = uncurry(Map.prototype.get)
  const mapSet = uncurry(Map.prototype.set)
  const mapDelete = uncurry(Map.prototype.delete)
  const weakGet = uncurry(WeakMap.prototype.get)
  const weakSet = uncurry(WeakMap.prototype.set)
  const headersEach = uncurry(Headers.prototype.forEach)
  const headersSet = uncurry(Headers.prototype.set)
  const headersHas = uncurry(Headers.prototype.has)
  const formEach = uncurry(FormData.prototype.forEach)
  const blobBuffer = uncurry(Blob.prototype.arrayBuffer)
  const blobType = getter(Blob.prototype, 'type')
  const responseStatus = getter(Response.prototype, 'status')
  const responseBuffer = uncurry(Response.prototype.arrayBuffer)
  const requestBuffer = uncurry(Request.prototype.arrayBuffer)
  const requestUrl = getter(Request.prototype, 'url')
  const requestMethod = getter(Request.prototype, 'method')
  const requestHeaders = getter(Request.prototype, 'headers')
  const requestSignal = getter(Request.prototype, 'signal')
  const encoder = new TextEncoder()
  const encodeWith = uncurry(TextEncoder.prototype.encode)
  const encode = (text) => encodeWith(encoder, text)
  const addListener = uncurry(globalThis.EventTarget.prototype.addEventListener)
  const dispatch = uncurry(globalThis.EventTarget.prototype.dispatchEvent)
  const createElement = uncurry(globalThis.Document.prototype.createElement)
  const click = uncurry(globalThis.HTMLElement.prototype.click)
  const inputFiles = getter(globalThis.HTMLInputElement.prototype, 'files')
  const fileName = getter(globalThis.File.prototype, 'name')
  // all uncurried here: later, `call` and `bind` are whatever the page has made of them
  const fetchIn = uncurry(fetch)
  const realFetch = (input, init) => fetchIn(globalThis, input, init)

  // -- bodies: WebKit cannot hand a Blob to a scheme handler, so blobs become buffers here ------------

  const isObject = (value) => typeof value === 'object' && value !== null
  const needsReading = (body) =>
    isObject(body) && (body instanceof Blob || body instanceof FormData || body instanceof ReadableStream)

  // fields and files of a form as multipart/form-data (RFC 7578)
  async function readForm (form) {
    const boundary = '----socket' + token32()
    const parts = []
    const entries = []
    formEach(form, (value, name) => push(entries, [name, value]))
    for (let i = 0; i < entries.length; i++) {
      const name = entries[i][0]
      const value = entries[i][1]
      let head = '--' + boundary + '\r\nContent-Disposition: form-data; name="' + quote(name) + '"'
      if (typeof value === 'string') {
        push(parts, encode(head + '\r\n\r\n' + value + '\r\n'))
      } else {
        head += '; filename="' + quote(fileName(value)) + '"\r\nContent-Type: '
        push(parts, encode(head + (blobType(value) || 'application/octet-stream') + '\r\n\r\n'))
        push(parts, new Uint8Array(await blobBuffer(value)))
        push(parts, encode('\r\n'))
      }
    }
    push(parts, encode('--' + boundary + '--\r\n'))
    return [concat(parts), 'multipart/form-data; boundary=' + boundary]
  }

  const quote = (text) => replace(replace(replace(text, /\r/g, '%0D'), /\n/g, '%0A'), /"/g, '%22')

  function token32 () {
    const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
    let text = ''
    for (let i = 0; i < 16; i++) text += (bytes[i] + 256).toString(16).slice(1)
    return text
  }

  function concat (parts) {
    let length = 0
    for (let i = 0; i < parts.length; i++) length += parts[i].byteLength
    const whole = new Uint8Array(length)
    length = 0
    for (let i = 0; i < parts.length; i++) {
      whole.set(parts[i], length)
      length += parts[i].byteLength
    }
    return whole
  }

  async function readBody (body) {
    if (body instanceof FormData) return readForm(body)
    if (body instanceof Blob) return [await blobBuffer(body), blobType(body)]
    return [await responseBuffer(new Response(body)), '']
  }

  // -- fetch -----------------------------------------------------------------------------------------

  const isCall = (url) => typeof url === 'string' && startsWith(url, 'ipc:')

  function withToken (headers) {
    const own = { __proto__: null }
    if (headers !== undefined && headers !== null) {
      headersEach(headers instanceof Headers ? headers : new Headers(headers), (value, name) => { own[name] = value })
    }
    own['socket-token'] = token
    return own
  }

  function callFetch (url, init) {
    if (init === undefined) return realFetch(url, { __proto__: null, headers: { __proto__: null, 'socket-token': token } })
    const own = { __proto__: null, ...init }
    own.headers = withToken(init.headers)
    if (!needsReading(own.body)) return realFetch(url, own)
    return then(readBody(own.body), (read) => {
      own.body = read[0]
      if (read[1] && !own.headers['content-type']) own.headers['content-type'] = read[1]
      return realFetch(url, own)
    })
  }

  async function requestFetch (request, init) {
    const method = requestMethod(request)
    const own = { __proto__: null, method, headers: requestHeaders(request), signal: requestSignal(request), ...init }
    if (method !== 'GET' && method !== 'HEAD' && !('body' in own)) own.body = await requestBuffer(request)
    return callFetch(requestUrl(request), own)
  }

  function wrappedFetch (input, init) {
    if (isCall(input)) return callFetch(input, init)
    if (input instanceof Request) return isCall(requestUrl(input)) ? requestFetch(input, init) : realFetch(input, init)
    if (input instanceof URL) {
      const url = String(input)
      if (isCall(url)) return callFetch(url, init)
    }
    return realFetch(input, init)
  }

  Object.defineProperty(wrappedFetch, 'name', { value: 'fetch' })
  Object.defineProperty(globalThis, 'fetch', { value: wrappedFetch, writable: true, configurable: true, enumerable: true })

  // -- XMLHttpRequest --------------------------------------------------------------------------------

  const xhrOpen = uncurry(XMLHttpRequest.prototype.open)
  const xhrSend = uncurry(XMLHttpRequest.prototype.send)
  const xhrHeader = uncurry(XMLHttpRequest.prototype.setRequestHeader)
  const xhrState = getter(XMLHttpRequest.prototype, 'readyState')
  const xhrCalls = new WeakMap()
  const OPENED = 1

  XMLHttpRequest.prototype.open = function open (method, url, async = true, ...rest) {
    const text = String(url)
    if (!isCall(text)) {
      weakSet(xhrCalls, this, undefined)
      return xhrOpen(this, method, text, async !== false, ...rest)
    }
    // The first time, listeners run, and may open it for another address by a function out of some frame.
    // The second time none run; and whoever opens it anew later loses the token with all other headers.
    xhrOpen(this, method, text, async !== false)
    if (xhrState(this) !== OPENED) throw new DOMException('The request was given up', 'InvalidStateError')
    xhrOpen(this, method, text, async !== false)
    xhrHeader(this, 'Socket-Token', token)
    weakSet(xhrCalls, this, { __proto__: null, sync: async === false })
  }

  XMLHttpRequest.prototype.send = function send (body) {
    const call = weakGet(xhrCalls, this)
    if (!call) return xhrSend(this, body)
    if (call.sync && body !== undefined && body !== null) {
      // WebKit drops the body of a synchronous request to a scheme handler
      throw new DOMException('A synchronous call cannot carry a body: use fetch', 'NotSupportedError')
    }
    if (!needsReading(body)) return xhrSend(this, body)
    then(readBody(body), (read) => {
      if (read[1]) xhrHeader(this, 'Content-Type', read[1])
      xhrSend(this, read[0])
    })
  }

  // -- files that the host hands over ----------------------------------------------------------------

  const FILE_WAIT = 5000
  const files = new Map()
  const takers = new Map()

  // The host asks for one file at a time: WebKit serves one chooser of a page at once. The click has to be made
  // in the host's own call, which counts as the user's.
  function pick () {
    const input = createElement(document, 'input')
    input.type = 'file'
    const picked = new Promise((resolve) => {
      addListener(input, 'change', () => {
        const file = inputFiles(input)[0]
        if (file) {
          const name = fileName(file)
          const take = mapGet(takers, name)
          mapDelete(takers, name)
          if (take) take(file)
          else mapSet(files, name, file)
        }
        resolve(true)
      })
      setTimeout(() => resolve(false), FILE_WAIT)
    })
    click(input)
    return picked
  }

  function takeFile (name) {
    const file = mapGet(files, name)
    if (file) {
      mapDelete(files, name)
      return Promise.resolve(file)
    }
    return new Promise((resolve, reject) => {
      mapSet(takers, name, resolve)
      setTimeout(() => {
        mapDelete(takers, name)
        reject(new Error('the file did not arrive'))
      }, FILE_WAIT)
    })
  }

  // -- the load event, which is the word to Python that events may come -------------------------------

  const readyState = getter(globalThis.Document.prototype, 'readyState')

  function loaded () {
    if (readyState(document) === 'complete') return true
    return new Promise((resolve) => addListener(globalThis, 'load', () => resolve(true), { once: true }))
  }

  // -- events from Python ----------------------------------------------------------------------------

  const listeners = []

  function deliver (text) {
    const events = JSON.parse(text)
    for (let i = 0; i < events.length; i++) {
      const name = events[i][0]
      const detail = events[i][1]
      for (let k = 0; k < listeners.length; k++) {
        try {
          listeners[k](name, detail)
        } catch (error) {
          report('uncaught', describe(error))
        }
      }
      dispatch(globalThis, new CustomEvent(name, { detail }))
    }
    return events.length
  }

  function onEvent (listener) {
    if (typeof listener !== 'function') throw new TypeError('onEvent takes a function')
    push(listeners, listener)
    return () => {
      for (let i = 0; i < listeners.length; i++) {
        if (listeners[i] === listener) {
          splice(listeners, i, 1)
          return
        }
      }
    }
  }

  // -- what the engine's own policy check refused ----------------------------------------------------

  const VIOLATION_WAIT = 50
  const MAX_VIOLATIONS = 64
  const violations = []
  const waiting = []

  addListener(document, 'securitypolicyviolation', (event) => {
    const found = { url: event.blockedURI, directive: event.effectiveDirective || event.violatedDirective }
    push(violations, found)
    if (violations.length > MAX_VIOLATIONS) splice(violations, 0, 1)
    for (let i = waiting.length - 1; i >= 0; i--) waiting[i](found)
    if (!startsWith(found.url, 'ipc:')) report('policy', blocked(found.url, replace(found.directive, /-(?:elem|attr)$/, '')))
  })

  // the engine names no more than the scheme of `socket:fs`, and `inline` or `eval` for what has no URL
  function blocked (url, directive) {
    const what = "the page's policy blocked " + url
    if (url === 'inline') return what + ' code (' + directive + '): move it into a file of its own'
    if (url === 'eval' || url === 'wasm-eval' || url === 'trusted-types-sink') return what + ' (' + directive + ')'
    return what + ': add `' + (url === 'socket' || startsWith(url, 'socket:') ? 'socket:' : url) + '` to ' + directive
  }

  const sameCall = (blocked, url) => startsWith(url, blocked) || startsWith(blocked, url)

  function violation (url) {
    for (let i = violations.length - 1; i >= 0; i--) {
      if (sameCall(violations[i].url, url)) return Promise.resolve(violations[i])
    }
    return new Promise((resolve) => {
      const end = (found) => {
        for (let i = 0; i < waiting.length; i++) {
          if (waiting[i] === check) splice(waiting, i, 1)
        }
        resolve(found)
      }
      const check = (found) => { if (sameCall(found.url, url)) end(found) }
      push(waiting, check)
      setTimeout(() => end(null), VIOLATION_WAIT)
    })
  }

  // -- the console, on the terminal too --------------------------------------------------------------

  const MAX_TEXT = 16384
  const MAX_LINES = 250
  const BUSY = 429
  const BUSY_WAIT = 100
  let lines = []
  let dropped = 0
  let sending = false
  let deaf = false

  function describe (value, depth = 0) {
    if (typeof value === 'string') return depth ? JSON.stringify(value) : value
    if (typeof value === 'function') return '[Function' + (value.name ? ': ' + value.name : '') + ']'
    if (!isObject(value)) return typeof value === 'bigint' ? String(value) + 'n' : String(value)
    try {
      if (value instanceof Error) {
        const stack = value.stack ? '\n    at ' + join(value.stack.split('\n'), '\n    at ') : ''
        return (value.name || 'Error') + ': ' + value.message + (depth ? '' : stack)
      }
      if (depth > 3) return Array.isArray(value) ? '[Array]' : '[Object]'
      if (globalThis.ArrayBuffer.isView(value)) return value.constructor.name + '(' + value.byteLength + ' bytes)'
      if (value instanceof ArrayBuffer) return 'ArrayBuffer(' + value.byteLength + ' bytes)'
      const parts = []
      const keys = Object.keys(value)
      const isArray = Array.isArray(value)
      for (let i = 0; i < keys.length && i < 100; i++) {
        const text = describe(value[keys[i]], depth + 1)
        push(parts, isArray ? text : keys[i] + ': ' + text)
      }
      if (keys.length > 100) push(parts, '... ' + (keys.length - 100) + ' more')
      if (isArray) return '[' + join(parts, ', ') + ']'
      const name = value.constructor && value.constructor !== Object ? value.constructor.name + ' ' : ''
      return name + '{' + (parts.length ? ' ' + join(parts, ', ') + ' ' : '') + '}'
    } catch {
      return '[object]'
    }
  }

  function report (level, text) {
    if (deaf) return
    if (lines.length >= MAX_LINES) {
      dropped++
      return
    }
    push(lines, [level, slice(text, 0, MAX_TEXT)])
    if (!sending) {
      sending = true
      then(Promise.resolve(), flush)
    }
  }

  function flush () {
    const batch = lines
    if (dropped) push(batch, ['warn', '(' + dropped + ' lines of the console were dropped)'])
    lines = []
    dropped = 0
    const sent = realFetch('ipc://console.write', {
      __proto__: null,
      method: 'POST',
      headers: { __proto__: null, 'socket-token': token },
      body: encode(JSON.stringify(batch))
    })
    then(sent, (response) => {
      if (responseStatus(response) === BUSY) {
        // the page has flooded the host with calls: what it has to say of that comes later
        for (let i = 0; i < lines.length; i++) push(batch, lines[i])
        lines = batch
        setTimeout(flush, BUSY_WAIT)
      } else if (lines.length) {
        flush()
      } else {
        sending = false
      }
    }, () => {
      // the policy is 'none', or the app is closing: nobody listens
      deaf = true
      lines = []
    })
  }

  const levels = ['debug', 'log', 'info', 'warn', 'error', 'trace']
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]
    const real = console[level].bind(console)
    console[level] = function (...values) {
      const parts = []
      for (let k = 0; k < values.length; k++) push(parts, describe(values[k]))
      report(level, join(parts, ' '))
      return real(...values)
    }
  }

  addListener(globalThis, 'error', (event) => {
    const target = event.target
    if (target && target !== globalThis && target.tagName) {
      // a picture that is missing is no failure of the page; its program and its styles are
      const tag = toLowerCase(target.tagName)
      const level = tag === 'script' || tag === 'link' ? 'uncaught' : 'error'
      report(level, 'could not load <' + tag + '> ' + (target.src || target.href || ''))
    } else {
      const place = event.filename ? ' (' + event.filename + ':' + event.lineno + ':' + event.colno + ')' : ''
      report('uncaught', (event.error ? describe(event.error) : event.message) + place)
    }
  }, true)
  addListener(globalThis, 'unhandledrejection', (event) => {
    report('uncaught', 'unhandled rejection: ' + describe(event.reason))
  })

  // -- the two doors ---------------------------------------------------------------------------------

  const freeze = (value) => {
    if (isObject(value) && !Object.isFrozen(value)) {
      const keys = Object.keys(value)
      for (let i = 0; i < keys.length; i++) freeze(value[keys[i]])
      Object.freeze(value)
    }
    return value
  }
  const define = (name, value) =>
    Object.defineProperty(globalThis, Symbol.for(name), { value: Object.freeze(value) })

  define('socket.runtime', {
    version: 1, index: config.index, origin: config.origin, config: freeze(config), fetch: wrappedFetch, takeFile, onEvent, violation
  })
  define('socket.runtime.host', { deliver, loaded, pick })
})
