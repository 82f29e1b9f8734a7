import test from 'node:test'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { FakeHost, Reply, failure, record } from './support/host.mjs'
import { Random } from './support/random.mjs'
import { load } from './support/modules.mjs'

const host = new FakeHost().install()
const ipc = await load('ipc')
const { call, request, stream, upload, write } = ipc

host.commands.echo = (args, { method, body }) => ({ args, method, body: body ? [...body] : null })
host.commands.slow = () => new Promise(() => {})
const last = () => host.calls.at(-1)

test('scalars travel in the query of a GET', async () => {
  const args = { path: 'a b/ä&=+?#%', n: 1.5, big: 2n ** 60n, yes: true, none: undefined, exp: 1e21 }
  const { args: got, method } = await call('echo', args)
  assert.equal(method, 'GET')
  assert.deepEqual(got, {
    path: 'a b/ä&=+?#%', n: '1.5', big: '1152921504606846976', yes: 'true', exp: '1e+21'
  })
  assert.match(last().url,
    /^ipc:\/\/echo\?seq=R\d+&path=a%20b%2F%C3%A4%26%3D%2B%3F%23%25&n=1.5&big=\d+&yes=true&exp=1e%2B21$/)
})

test('objects, null and long texts travel as a JSON body', async () => {
  for (const args of [{ a: { b: [1] }, c: 'x' }, { a: null }, { a: [1, 2] }, { text: 'x'.repeat(3000) },
    { name: 'a\ud800' }]) {
    const { args: got, method } = await call('echo', args)
    assert.equal(method, 'POST')
    assert.deepEqual(got, args)
    assert.match(last().url, /^ipc:\/\/echo\?seq=R\d+$/)
  }
  assert.deepEqual((await call('echo', { a: [2n ** 60n] })).args, { a: ['1152921504606846976'] })
})

test('what cannot be a call is refused before it is sent', async () => {
  const before = host.calls.length
  const circle = {}
  circle.self = circle
  const wrong = [
    ['fs.readFile?path=/etc/passwd'], ['a/b'], ['a..b'], ['ä'], [''], ['a%2eb'], ['__proto__'.replaceAll('_', '.')],
      [undefined],
    ['echo', { seq: 'R1' }], ['echo', { index: 3 }], ['echo', { n: NaN }], ['echo', { n: Infinity, o: {} }],
      ['echo', circle],
    ['echo', { o: {} }, { body: 'x' }], ['echo', {}, { body: 5 }], ['echo', {}, { body: {} }]
  ]
  for (const [command, args, options] of wrong) {
    await assert.rejects(call(command, args, options), (error) =>
      error instanceof ipc.BadRequest && error.name === 'TypeError', String(command))
    assert.equal((await request(command, args, options)).err.type, 'BadRequest')
  }
  assert.equal(host.calls.length, before)
})

test('bodies: text, buffers, views of a part, blobs', async () => {
  const part = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4)
  for (const body of ['\x01\x02\x03', part.slice().buffer, part, new DataView(part.buffer, 1, 3), new Blob([part])]) {
    const { data, err } = await write('echo', { path: 'p' }, body)
    assert.equal(err, null)
    assert.deepEqual(data, { args: { path: 'p' }, method: 'POST', body: [1, 2, 3] })
    assert.equal(last().headers.get('Content-Type'), 'application/octet-stream')
  }
  assert.deepEqual((await write('echo', {}, new Uint8Array(0))).data.body, [])
})

test('a result has the shape of the original', async () => {
  const result = await request('echo', { a: 1 })
  assert.ok(result instanceof ipc.Result)
  assert.deepEqual(Object.keys(result), ['source', 'id', 'data', 'err', 'headers'])
  assert.equal(result.source, 'echo')
  assert.match(result.id, /^R\d+$/)
  assert.equal(result.headers.get('Content-Type'), 'application/json')
  assert.equal(ipc.send, ipc.request)
  assert.deepEqual([ipc.OK, ipc.ERROR, ipc.TIMEOUT], [0, 1, 32000])
})

test('errors are of the class that their type names', async () => {
  for (const type of ['BadRequest', 'Denied', 'NotFound', 'Timeout', 'TooLarge', 'QuotaExceeded', 'Aborted',
    'CommandFailed']) {
    host.commands.fails = () => { throw failure(500, { message: 'no', name: 'X', type, code: 'ECODE', missing: 'line',
      extra: { a: 1 } }) }
    await assert.rejects(call('fails'), (error) => {
      assert.ok(error instanceof ipc[type] && error instanceof ipc.IPCError && error instanceof Error)
      assert.deepEqual([error.message, error.type, error.code, error.missing, error.source],
        ['no', type, 'ECODE', 'line', 'fails'])
      assert.deepEqual(error.extra, { a: 1 })
      return true
    })
    const { err, data } = await request('fails')
    assert.ok(err instanceof ipc[type])
    assert.equal(data, null)
  }
})

test('an error cannot reach into prototypes', async () => {
  const err = JSON.parse('{"message":"m","type":"Nobody","__proto__":{"polluted":1},"stack":"s"}')
  host.commands.fails = () => { throw failure(500, err) }
  await assert.rejects(call('fails'), (error) => {
    assert.equal(error.constructor, ipc.IPCError)
    assert.equal(error.polluted, undefined)
    assert.notEqual(error.stack, 's')
    return true
  })
})

test('binary replies, of known and unknown length', async () => {
  const random = new Random(1)
  for (const size of [0, 1, 1000, 5 << 20]) {
    const bytes = new Uint8Array(size).map(() => random.below(256))
    for (const headers of [{}, { 'Content-Length': String(size) }, { 'Socket-File-Size': String(size) }]) {
      host.commands.bytes = () => new Reply('binary', bytes, headers)
      const got = await call('bytes')
      assert.ok(got instanceof Uint8Array)
      assert.ok(Buffer.from(got.buffer, got.byteOffset, got.length).equals(Buffer.from(bytes.buffer)),
        `${size} ${JSON.stringify(headers)}`)
    }
  }
  host.commands.bytes = () => new TextEncoder().encode('ä')
  assert.equal(await call('bytes', {}, { responseType: 'text' }), 'ä')
  assert.ok(await call('bytes', {}, { responseType: 'arraybuffer' }) instanceof ArrayBuffer)
  host.commands.bytes = () => new Reply('binary', new Uint8Array(3), { 'Content-Length': String(5 << 20) }) // a lie
  assert.equal((await call('bytes')).length, 3)
})

test('a file is taken from the preload, and the host is told', async () => {
  host.commands.bulk = (args, { headers }) => headers.get('Socket-Bulk') === 'file'
    ? new Reply('file', { size: 3 }, { 'Socket-File': '7', 'Socket-File-Size': '3' })
    : Uint8Array.of(4, 5)
  host.files.set('7', new Blob([Uint8Array.of(1, 2, 3)]))
  assert.deepEqual(await call('bulk', {}, { bulk: true }), Uint8Array.of(1, 2, 3))
  assert.deepEqual(host.done, ['7'])
  assert.deepEqual(await call('bulk'), Uint8Array.of(4, 5))
})

test('a file that does not arrive, or that has changed, is asked for as bytes', async () => {
  for (const file of [undefined, { arrayBuffer: async () => { throw new DOMException('gone', 'NotFoundError') } }]) {
    if (file) host.files.set('7', file)
    else host.files.delete('7')
    host.done.length = 0
    assert.deepEqual(await call('bulk', {}, { bulk: true }), Uint8Array.of(4, 5))
    assert.deepEqual(host.done, ['7'], 'the host may close it')
  }
  assert.equal(host.cancelled.length, 0)
})

test('so many files at once as the host allows', async () => {
  let open = 0
  let most = 0
  host.commands.bulk = async () => {
    most = Math.max(most, ++open)
    await sleep(1)
    open--
    return Uint8Array.of(1)
  }
  await Promise.all(Array.from({ length: 200 }, () => call('bulk', {}, { bulk: true })))
  assert.equal(most, 32)
})

test('a time limit', async () => {
  host.cancelled.length = 0
  const before = performance.now()
  await assert.rejects(call('slow', {}, { timeout: 20 }), (error) =>
    error instanceof ipc.Timeout && error.name === 'TimeoutError' && /longer than 20 ms/.test(error.message))
  assert.ok(performance.now() - before < 1000)
  assert.deepEqual(host.cancelled, [host.calls.at(-2).seq])
  assert.equal(last().method, 'POST')
})

test('a signal', async () => {
  host.cancelled.length = 0
  const controller = new AbortController()
  const called = call('slow', {}, { signal: controller.signal })
  setTimeout(() => controller.abort('enough'), 5)
  await assert.rejects(called, (error) =>
    error instanceof ipc.Aborted && error.name === 'AbortError' && error.code === 'ABORT_ERR' &&
    error.cause === 'enough')
  assert.equal(host.cancelled.length, 1)
  const count = host.calls.length
  await assert.rejects(call('slow', {}, { signal: controller.signal }), ipc.Aborted)
  assert.equal(host.calls.length, count, 'an aborted signal sends nothing')
})

test("the engine's refusal reads like the gate's", async () => {
  host.blocked.add('fs.readFile')
  await assert.rejects(call('fs.readFile'), (error) => {
    assert.ok(error instanceof ipc.Denied)
    assert.equal(error.missing, 'connect-src ipc://fs.readFile')
    assert.equal(error.code, 'EPERM')
    assert.match(error.message, /add `connect-src ipc:\/\/fs\.readFile` to the page's Content-Security-Policy/)
    return true
  })
  host.blocked.clear()
})

test('an answer that is none', async () => {
  const dead = async () => { throw new TypeError('Load failed') }
  host.commands.dead = dead
  await assert.rejects(call('dead'), (error) => error instanceof ipc.Unreachable && error.cause instanceof TypeError)
  host.commands.odd = () => new Reply('stream-binary', new Uint8Array(1))
  await assert.rejects(call('odd'), ipc.BadRequest)
  assert.equal(host.cancelled.length, 2, 'the host need not go on')
})

test('at most 256 calls are under way; the rest waits its turn', async () => {
  host.most = 0
  const order = []
  host.commands.count = async ({ i }) => {
    order.push(Number(i))
    await sleep(1)
    return Number(i)
  }
  const results = await Promise.all(Array.from({ length: 2000 }, (_, i) => call('count', { i })))
  assert.deepEqual(results, Array.from({ length: 2000 }, (_, i) => i))
  assert.deepEqual(order, results)
  assert.equal(host.most, 256)
})

test('who gives up in the line leaves it', async () => {
  const controller = new AbortController()
  const ends = Array.from({ length: 256 }, () => new AbortController())
  const holding = ends.map((end) => call('slow', {}, { signal: end.signal }).catch(() => {}))
  const waiting = call('echo', {}, { signal: controller.signal })
  controller.abort()
  await assert.rejects(waiting, ipc.Aborted)
  for (const end of ends) end.abort()
  await Promise.all(holding)
  assert.equal((await call('echo')).method, 'GET')
})

async function collect (iterable) {
  const found = []
  for await (const item of iterable) found.push(item)
  return found
}

test('streams of items, however the bytes are cut', async () => {
  const random = new Random(2)
  for (let round = 0; round < 50; round++) {
    const values = Array.from({ length: random.below(20) }, () => random.text(['a', 'ä', '\u{1f600}', '"'], 50))
    const whole = Buffer.concat([record(null), ...values.flatMap((data) => [record({ data }), record(null)])])
    host.commands.items = () => new Reply('stream-items', (async function * () {
      for (let at = 0; at < whole.length;) {
        const size = 1 + random.below(30)
        yield new Uint8Array(whole.subarray(at, at + size))
        at += size
      }
    })())
    assert.deepEqual(await collect(stream('items')), values)
  }
})

test('a stream ends with the error of the command', async () => {
  host.commands.items = () => new Reply('stream-items', (async function * () {
    yield record({ data: 1 })
    yield record({ err: { message: 'no', type: 'CommandFailed', code: 'EIO' } })
  })())
  const items = stream('items')
  assert.deepEqual(await items.next(), { done: false, value: 1 })
  await assert.rejects(items.next(), (error) => error instanceof ipc.CommandFailed && error.code === 'EIO')
  assert.deepEqual(await items.next(), { done: true, value: undefined })
})

test('a stream that is cut, or that cannot begin, says so', async () => {
  host.commands.items = () => new Reply('stream-items', (async function * () {
    yield record({ data: 1 }).subarray(0, 6)
  })())
  await assert.rejects(collect(stream('items')), ipc.Unreachable)
  host.commands.items = () => new Reply('stream-binary', (async function * () {
    yield new Uint8Array(1)
    throw new Error('cut')
  })())
  await assert.rejects(collect(stream('items')), (error) =>
    error instanceof ipc.Unreachable && /ended early/.test(error.message))
  host.commands.items = () => new Reply('stream-binary', new Uint8Array(5), { 'Socket-File-Size': '6' })
  await assert.rejects(collect(stream('items')), (error) =>
    error instanceof ipc.Unreachable && /1 bytes/.test(error.cause.message))
  host.commands.items = () => { throw failure(403, { message: 'no', type: 'Denied', missing: 'm' }) }
  await assert.rejects(collect(stream('items')), ipc.Denied)
  await assert.rejects(collect(stream('echo')), ipc.BadRequest)
})

test('leaving a loop gives the stream up, also while it is quiet', async () => {
  host.cancelled.length = 0
  let closed = 0
  host.commands.items = () => new Reply('stream-items', (async function * () {
    try {
      yield record({ data: 1 })
      await new Promise(() => {})
    } finally {
      closed++
    }
  })())
  for await (const item of stream('items')) {
    assert.equal(item, 1)
    break
  }
  assert.equal(host.cancelled.length, 1)
  const items = stream('items')
  await items.next()
  const pending = items.next()
  await items.return()
  assert.deepEqual(await pending, { done: true, value: undefined })
  const unused = stream('items')
  await unused.return()
  assert.deepEqual(await unused.next(), { done: true, value: undefined })
  assert.equal(host.cancelled.length, 2, 'a stream that never began is not cancelled')
})

test('a signal ends a stream, and open streams hold no turn', async () => {
  host.commands.items = () => new Reply('stream-items', (async function * () {
    yield record(null)
    await new Promise(() => {})
  })())
  const controllers = Array.from({ length: 300 }, () => new AbortController())
  const pending = controllers.map(({ signal }) => stream('items', {}, { signal, timeout: 50 }).next())
  await sleep(80)
  assert.equal((await call('echo')).method, 'GET')
  for (const controller of controllers) controller.abort()
  for (const one of pending) await assert.rejects(one, ipc.Aborted)
})

function sink (host, { slow = 0, failAt = Infinity } = {}) {
  const chunks = []
  host.commands.sink = (args) => host.openUpload(async (chunk) => {
    if (slow) await sleep(slow)
    chunks.push(chunk)
    if (chunks.length >= failAt) throw failure(500, { message: 'full', type: 'CommandFailed', code: 'ENOSPC' })
  }, () => ({ args, bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0) }))
  return chunks
}

test('uploads of all kinds of sources', async () => {
  const big = new Uint8Array(2_500_000).map((_, i) => i)
  async function * generated () {
    yield 'text'
    yield big
    yield new ArrayBuffer(3)
  }
  const expected = Buffer.concat([Buffer.from('text'), big, Buffer.alloc(3)])
  const sources = {
    async: generated(),
    iterable: ['text', big, new ArrayBuffer(3)],
    blob: new Blob(['text', big, new ArrayBuffer(3)]),
    bytes: new Uint8Array(expected),
    stream: new Blob([expected]).stream()
  }
  for (const [kind, source] of Object.entries(sources)) {
    const chunks = sink(host)
    assert.deepEqual(await upload('sink', { path: 'p' }, source), { args: { path: 'p' }, bytes: expected.length }, kind)
    assert.ok(Buffer.concat(chunks).equals(expected), kind)
    assert.ok(chunks.every((chunk) => chunk.length > 0 && chunk.length <= 1 << 20), kind)
  }
  sink(host)
  assert.equal((await upload('sink', {}, [])).bytes, 0)
  assert.equal((await upload('sink', {}, 'ä')).bytes, 2)
})

test('many small pieces travel together, and no more is asked for than is taken', async () => {
  const chunks = sink(host, { slow: 5 })
  let asked = 0
  await upload('sink', {}, (async function * () {
    for (let i = 0; i < 40; i++) {
      asked++
      yield new Uint8Array(200_000)
      assert.ok(asked * 200_000 <= chunks.reduce((sum, chunk) => sum + chunk.length, 0) + 3 * (1 << 20))
    }
  })())
  assert.equal(asked, 40)
  assert.ok(chunks.length < 20, `${chunks.length} chunks`)
  const tiny = sink(host, { slow: 1 })
  await upload('sink', {}, Array.from({ length: 10000 }, () => 'x'))
  assert.ok(tiny.length < 200, `${tiny.length} chunks`)
})

test('a source may reuse its buffer', async () => {
  const chunks = sink(host, { slow: 1 })
  const buffer = new Uint8Array(4)
  await upload('sink', {}, (async function * () {
    for (let i = 0; i < 20; i++) {
      buffer.fill(i)
      yield buffer
      await sleep(2)
    }
  })())
  assert.deepEqual([...Buffer.concat(chunks)], Array.from({ length: 80 }, (_, i) => i >> 2))
})

test('uploads that fail: by the source, the command, the signal, or at once', async () => {
  const aborted = () => [...host.uploads.values()].at(-1).aborted
  sink(host)
  await assert.rejects(upload('sink', {}, (async function * () {
    yield 'a'
    throw new RangeError('source')
  })()), RangeError)
  await sleep(0)
  assert.equal(aborted(), true)

  sink(host, { failAt: 1 })
  let returned = false
  const quiet = { [Symbol.asyncIterator]: () =>
    ({ n: 0, next () { return this.n++ ? new Promise(() => {}) : { value: 'a', done: false } },
    return () { returned = true } }) }
  await assert.rejects(upload('sink', {}, quiet), (error) => error.code === 'ENOSPC')
  assert.equal(returned, true, 'the source is told, though it is silent')

  sink(host)
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 10)
  const silent = new ReadableStream({})
  await assert.rejects(upload('sink', {}, silent, { signal: controller.signal }), ipc.Aborted)
  await sleep(0)
  assert.equal(aborted(), true)

  await assert.rejects(upload('echo', {}, 'a'), ipc.BadRequest)
  await assert.rejects(upload('nothing', {}, 'a'), ipc.NotFound)
  await assert.rejects(upload('sink', {}, 5), TypeError)
  await assert.rejects(upload('sink', {}, [5]), ipc.BadRequest)
})

test('events', async () => {
  const heard = []
  const listener = (detail) => heard.push(['a', detail])
  const stop = ipc.on('news', listener)
  ipc.on('news', () => { heard.push('b') })
  const next = ipc.once('news')
  host.tell('news', { x: 1 })
  assert.deepEqual(heard, [['a', { x: 1 }], 'b'])
  assert.deepEqual(await next, { x: 1 })
  stop()
  host.tell('news', 2)
  assert.equal(heard.length, 3)
  ipc.off('news')
  host.tell('news', 3)
  assert.equal(heard.length, 3)
  ipc.once('other', (detail) => heard.push(detail))
  assert.equal(ipc.emit('other', 'now'), true)
  assert.equal(ipc.emit('other', 'again'), false)
  assert.equal(heard.at(-1), 'now')
  assert.throws(() => ipc.on('x', null), TypeError)
  ipc.off('never', listener)
})
