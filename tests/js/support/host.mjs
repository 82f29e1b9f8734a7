/**
 * A host in memory: the border of `socket.runtime`, and nothing behind it. It answers `fetch` by the protocol,
 * strictly: what the real host would refuse is an error here.
 *
 * A command is a function `(args, call)` of the table. It gives a value (JSON), bytes (binary), a `Reply`, or
 * throws `failure(...)`.
 */
const COMMAND = /^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*$/
const ORIGIN = 'socket://com.example.test'
const MAX_CHUNK = 1 << 20

/** A reply of another kind than JSON or bytes. */
export class Reply {
  constructor (kind, value, headers = {}) {
    Object.assign(this, { kind, value, headers })
  }
}

/** An error that the host answers, as an `err`. */
export function failure (status, err) {
  return Object.assign(new Error(err.message), { status, err })
}

/** One record of a stream of items. */
export function record (value) {
  const body = value === null ? new Uint8Array(0) : new TextEncoder().encode(JSON.stringify(value))
  const bytes = new Uint8Array(4 + body.length)
  new DataView(bytes.buffer).setUint32(0, body.length)
  bytes.set(body, 4)
  return bytes
}

export class FakeHost {
  commands = {}
  calls = []
  cancelled = []
  done = []
  files = new Map()
  uploads = new Map()
  active = 0
  most = 0
  blocked = new Set()
  #listeners = []

  /** Define `socket.runtime`, once for the process: the modules keep what they find first. */
  install (config = {}) {
    const runtime = {
      version: 1,
      index: 0,
      origin: ORIGIN,
      config: Object.freeze({ platform: 'linux', arch: 'x64', cwd: process.cwd(), ...config }),
      fetch: (url, init) => this.fetch(url, init),
      takeFile: (name) => this.takeFile(name),
      onEvent: (listener) => { this.#listeners.push(listener) },
      violation: async (url) => this.blocked.has(commandOf(url)) ? { directive: 'connect-src' } : null
    }
    Object.defineProperty(globalThis, Symbol.for('socket.runtime'), { value: Object.freeze(runtime) })
    return this
  }

  /** Python tells the page something. */
  tell (name, detail) {
    for (const listener of this.#listeners) listener(name, detail)
  }

  async takeFile (name) {
    const file = this.files.get(name)
    if (!file) throw new Error('the file did not arrive')
    return file
  }

  async fetch (url, init = {}) {
    const { signal } = init
    if (signal?.aborted) throw signal.reason
    if (this.blocked.has(commandOf(url))) throw new TypeError('Load failed')
    this.most = Math.max(this.most, ++this.active)
    try {
      const answer = this.#answer(url, init)
      if (!signal) return await answer
      return await new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        answer.then(resolve, reject)
      })
    } finally {
      this.active--
    }
  }

  async #answer (url, { method = 'GET', headers = {}, body, signal }) {
    const call = parse(url, method, new Headers(headers), body)
    call.signal = signal
    this.calls.push(call)
    const { seq } = call
    if (call.headers.has('Socket-Cancel')) {
      this.cancelled.push(call.headers.get('Socket-Cancel'))
      return new Response(null, { status: 204, headers: { 'Socket-Kind': 'json' } })
    }
    if (call.headers.has('Socket-File-Done')) {
      this.done.push(call.headers.get('Socket-File-Done'))
      return new Response(null, { status: 204, headers: { 'Socket-Kind': 'json' } })
    }
    try {
      if (call.headers.has('Socket-Stream')) return await this.#chunk(call)
      const handler = this.commands[call.command]
      if (!handler) throw failure(404, { message: 'no such command', name: 'NotFoundError', type: 'NotFound' })
      return reply(call, await handler(call.args, call), this)
    } catch (error) {
      if (!error.err) throw error
      return json({ source: call.command, id: seq, err: error.err }, error.status)
    }
  }

  async #chunk (call) {
    const upload = this.uploads.get(call.headers.get('Socket-Stream'))
    if (!upload) throw failure(404, { message: 'no such upload', name: 'NotFoundError', type: 'NotFound' })
    if (call.headers.has('Socket-Stream-Abort')) {
      upload.aborted = true
    } else if (call.headers.has('Socket-Stream-End')) {
      return json({ source: call.command, id: call.seq, data: await upload.end() })
    } else {
      if (call.body.length > MAX_CHUNK) throw failure(413, { message: 'too large', type: 'TooLarge' })
      await upload.take(call.body)
    }
    return new Response(null, { status: 204, headers: { 'Socket-Kind': 'json' } })
  }

  /** What a command answers that takes an upload. */
  openUpload (take, end) {
    const id = `u${this.uploads.size + 1}`
    this.uploads.set(id, { take, end, aborted: false })
    return new Reply('upload', {}, { 'Socket-Stream': id })
  }
}

const commandOf = (url) => /^ipc:\/\/([^?]*)/.exec(url)[1]

function parse (url, method, headers, body) {
  const [, command, query] = /^ipc:\/\/([^?/#]*)\?([^#]*)$/.exec(url) ?? []
  if (!COMMAND.test(command)) throw new Error(`not canonical: ${url}`)
  const args = {}
  let seq = ''
  for (const pair of query.split('&')) {
    const [key, value] = pair.split('=').map(decodeURIComponent)
    if (pair.includes('+') || key in args) throw new Error(`not canonical: ${url}`)
    if (key === 'seq') seq = value
    else args[key] = value
  }
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(seq)) throw new Error(`no seq: ${url}`)
  if (method === 'GET' && body !== undefined) throw new Error('a GET has no body')
  if (headers.get('Content-Type') === 'application/json') {
    if (typeof body !== 'string') throw new Error('JSON is text')
    return { command, seq, args: JSON.parse(body), method, headers, url }
  }
  const isBytes = body instanceof Uint8Array || body instanceof ArrayBuffer
  if (body !== undefined && !isBytes) throw new Error('a body is bytes')
  return { command, seq, args, method, headers, url,
    body: body && new Uint8Array(body instanceof ArrayBuffer ? body : body.slice()) }
}

function json (value, status = 200, headers = {}) {
  return new Response(JSON.stringify(value), { status, headers: { 'Content-Type': 'application/json',
    'Socket-Kind': 'json', ...headers } })
}

function reply (call, value) {
  const { command: source, seq: id } = call
  if (value instanceof Uint8Array) value = new Reply('binary', value)
  if (!(value instanceof Reply)) return json({ source, id, data: value ?? null })
  const headers = { 'Socket-Kind': value.kind, ...value.headers }
  if (value.kind === 'upload' || value.kind === 'file') return json({ source, id, data: value.value }, 200, headers)
  const body = value.value instanceof Uint8Array ? value.value : streamOf(value.value, call.signal)
  return new Response(body, { headers: { 'Content-Type': 'application/octet-stream', ...headers } })
}

/** A body that comes over time; it fails when the call is aborted, as the engine's does. */
function streamOf (chunks, signal) {
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream({
    start (controller) {
      signal?.addEventListener('abort', () => {
        controller.error(signal.reason)
        iterator.return?.()
      })
    },
    async pull (controller) {
      try {
        const { done, value } = await iterator.next()
        if (done) controller.close()
        else controller.enqueue(value)
      } catch (error) {
        controller.error(error)
      }
    }
  })
}
