import test from 'node:test'
import assert from 'node:assert/strict'
import nodeFs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { FakeHost } from './support/host.mjs'
import { fileCommands } from './support/files.mjs'
import { load } from './support/modules.mjs'

const root = await nodeFs.mkdtemp(path.join(os.tmpdir(), 'socket-js-'))
const host = new FakeHost().install()
Object.assign(host.commands, fileCommands(host, root))
const { default: fs, ...named } = await load('fs')
const { default: fsp } = await load('fs/promises')
const { Buffer: OurBuffer } = await load('buffer')
const full = (name) => path.join(root, name)

test.after(() => nodeFs.rm(root, { recursive: true, force: true }))

const big = Buffer.alloc(3 << 20, (i) => i)
const CONTENT = { 'text.txt': 'grüße 😀\n', 'empty.txt': '', 'bytes.bin': Buffer.from([0, 255, 128, 10]),
  'big.bin': big }
for (const [name, content] of Object.entries(CONTENT)) await nodeFs.writeFile(full(name), content)
await nodeFs.mkdir(full('dir/sub/deep'), { recursive: true })
await nodeFs.writeFile(full('dir/sub/deep/leaf'), 'leaf')
await nodeFs.writeFile(full('dir/one'), '1')
await nodeFs.symlink('one', full('dir/link'))

test('readFile gives what Node.js gives', async () => {
  for (const name of Object.keys(CONTENT)) {
    for (const options of [undefined, 'utf8', { encoding: 'utf8' }, 'hex', 'base64', 'latin1', { encoding: null }]) {
      const ours = await fsp.readFile(name, options)
      const theirs = await nodeFs.readFile(full(name), options)
      if (typeof theirs === 'string') assert.equal(ours, theirs)
      else assert.ok(OurBuffer.isBuffer(ours) && theirs.equals(ours), name)
    }
  }
})

test('readFile offers to take a file, and takes a big one', async () => {
  host.done.length = 0
  await fsp.readFile('big.bin')
  assert.equal(host.calls.filter(({ command }) => command === 'fs.readFile').at(-2).headers.get('Socket-Bulk'), 'file')
  assert.equal(host.done.length, 1)
})

test('paths may be text, bytes and URLs', async () => {
  const paths = ['text.txt', Buffer.from('text.txt'), full('text.txt'), pathToFileURL(full('text.txt')),
    new URL('socket://com.example.test/text.txt')]
  for (const name of paths) assert.equal(await fsp.readFile(name, 'utf8'), CONTENT['text.txt'])
  await nodeFs.writeFile(full('a b%41#.txt'), 'odd')
  assert.equal(await fsp.readFile(pathToFileURL(full('a b%41#.txt')), 'utf8'), 'odd')
  for (const wrong of [5, undefined, null, {}, 'a\0b', new URL('http://x/y'), new URL('file://host/x'),
    new URL('file:///a%2fb'), new URL('socket://other/x')]) {
    await assert.rejects(fsp.readFile(wrong), (error) =>
      error instanceof TypeError && /^ERR_INVALID_ARG/.test(error.code), String(wrong))
  }
})

test('errors are those of Node.js, with the path as it was given', async () => {
  const tries = {
    readFile: ['none'], stat: ['none'], lstat: ['none'], readdir: ['none'], unlink: ['none'], rmdir: ['dir'],
      mkdir: ['dir'],
    access: ['none'], readlink: ['text.txt'], realpath: ['none'], truncate: ['none'], open: ['none'],
      chmod: ['none', 0o600]
  }
  for (const [name, args] of Object.entries(tries)) {
    const [given, ...rest] = args
    const theirs = await nodeFs[name](full(given), ...rest).catch((error) => error)
    await assert.rejects(fsp[name](given, ...rest), (error) => {
      assert.equal(error.code, theirs.code, name)
      assert.equal(error.syscall, theirs.syscall, name)
      assert.equal(error.errno, theirs.errno, name)
      assert.equal(error.path, given)
      assert.equal(error.type, 'CommandFailed')
      return true
    })
  }
})

test('writeFile and appendFile take all kinds of data', async () => {
  async function * several () {
    yield 'a'
    yield Buffer.from('b')
  }
  const kinds = [
    ['text ä', undefined, 'text ä'], ['6869', 'hex', 'hi'], ['aGk=', { encoding: 'base64' }, 'hi'],
    [Buffer.from('x'), undefined, 'x'], [new Uint16Array([0x6868]), undefined, 'hh'],
      [new DataView(new ArrayBuffer(1)), undefined, '\0'],
    [new Blob(['blob']), undefined, 'blob'], [new Blob(['stream']).stream(), undefined, 'stream'],
      [several(), undefined, 'ab'], [['6a', '6b'], 'hex', 'jk']
  ]
  for (const [data, options, expected] of kinds) {
    await fsp.writeFile('out', data, options)
    assert.equal(await nodeFs.readFile(full('out'), 'utf8'), expected)
  }
  await fsp.appendFile('out', '!')
  await fsp.appendFile('out', (async function * () { yield '?' })())
  await fsp.appendFile('out', 'z', { mode: 0o600 })
  assert.equal(await nodeFs.readFile(full('out'), 'utf8'), 'jk!?z')
  await assert.rejects(fsp.writeFile('out', 'x', { flag: 'wx' }), { code: 'EEXIST' })
  await fsp.writeFile('moded', 'x', { mode: 0o600 })
  assert.equal((await nodeFs.stat(full('moded'))).mode & 0o777, 0o600)
  for (const wrong of [5, null, undefined, {}]) {
    await assert.rejects(fsp.writeFile('out', wrong), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  await assert.rejects(fsp.writeFile('out', 'x', 'nonsense'), { code: 'ERR_INVALID_ARG_VALUE' })
})

test('data above one request travels as an upload', async () => {
  const data = Buffer.alloc(33 << 20, (i) => i >> 10)
  await fsp.writeFile('large', data)
  assert.ok((await nodeFs.readFile(full('large'))).equals(data))
  assert.ok(host.uploads.size > 0)
  await fsp.unlink('large')
})

test('stat and lstat', async () => {
  for (const name of ['text.txt', 'dir', 'dir/link']) {
    for (const method of ['stat', 'lstat']) {
      const ours = await fsp[method](name)
      const theirs = await nodeFs[method](full(name))
      assert.ok(ours instanceof fs.Stats)
      for (const [key, value] of Object.entries(theirs)) assert.deepEqual(ours[key], value, `${name} ${key}`)
      for (const question of ['isFile', 'isDirectory', 'isSymbolicLink', 'isFIFO', 'isSocket', 'isCharacterDevice',
        'isBlockDevice']) {
        assert.equal(ours[question](), theirs[question](), `${name} ${question}`)
      }
    }
  }
  await assert.rejects(fsp.stat('dir', { bigint: true }), { code: 'ERR_INVALID_ARG_VALUE' })
})

test('readdir and opendir', async () => {
  const sorted = (list) => list.sort((a, b) => String(a.name ?? a) < String(b.name ?? b) ? -1 : 1)
  for (const name of ['dir', 'dir/', './dir']) {
    for (const recursive of [false, true]) {
      assert.deepEqual(sorted(await fsp.readdir(name, { recursive })),
        sorted(await nodeFs.readdir(full(name), { recursive })))
    }
    const ours = sorted(await fsp.readdir(name, { withFileTypes: true }))
    const theirs = sorted(await nodeFs.readdir(full(name), { withFileTypes: true }))
    assert.deepEqual(ours.map((one) => [one.name, one.isFile(), one.isDirectory(), one.isSymbolicLink()]),
      theirs.map((one) => [one.name, one.isFile(), one.isDirectory(), one.isSymbolicLink()]))
    assert.equal(ours[0].parentPath, name.replace(/\/$/, ''))
  }
  const names = []
  for await (const entry of await fsp.opendir('dir')) names.push(entry.name)
  assert.deepEqual(names.sort(), ['link', 'one', 'sub'])
  const dir = await fsp.opendir('dir')
  assert.ok(dir instanceof fs.Dir && await dir.read() instanceof fs.Dirent)
  await dir.close()
  await assert.rejects(dir.read(), { code: 'ERR_DIR_CLOSED' })
  await assert.rejects(fsp.opendir('none'), { code: 'ENOENT' })
})

test('making, moving, copying, removing', async () => {
  assert.equal(await fsp.mkdir('made/a/b', { recursive: true }), undefined)
  await fsp.mkdir('made/c', 0o700)
  assert.equal((await nodeFs.stat(full('made/c'))).mode & 0o777, 0o700)
  await fsp.mkdir('made/d', { mode: '750' })
  assert.equal((await nodeFs.stat(full('made/d'))).mode & 0o777, 0o750)
  await fsp.copyFile('text.txt', 'made/copy')
  await assert.rejects(fsp.copyFile('text.txt', 'made/copy', fs.constants.COPYFILE_EXCL), { code: 'EEXIST' })
  await fsp.rename('made/copy', 'made/moved')
  await fsp.link('made/moved', 'made/second')
  await fsp.symlink('moved', 'made/soft')
  assert.equal(await fsp.readlink('made/soft'), 'moved')
  assert.equal(await fsp.realpath('made/soft'), await nodeFs.realpath(full('made/moved')))
  await fsp.chmod('made/moved', '600')
  await fsp.utimes('made/moved', new Date(1e12), 2e9)
  const { mode, atimeMs, mtimeMs } = await fsp.stat('made/moved')
  assert.deepEqual([mode & 0o777, atimeMs, mtimeMs], [0o600, 1e12, 2e12])
  await fsp.truncate('made/moved', 3)
  assert.equal(await fsp.readFile('made/second', 'latin1'), 'grÃ')
  await fsp.cp('made', 'cloned', { recursive: true })
  assert.equal((await fsp.readdir('cloned')).length, 6)
  await assert.rejects(fsp.cp('made', 'x', { filter () {} }), { code: 'ERR_INVALID_ARG_VALUE' })
  await fsp.access('made', fs.constants.R_OK)
  const temporary = await fsp.mkdtemp('tmp-')
  assert.match(temporary, /^tmp-.{6}$/)
  await fsp.rmdir(temporary)
  await fsp.unlink('made/second')
  await fsp.rm('made', { recursive: true })
  await fsp.rm('made', { force: true })
  await fsp.rm('cloned', { recursive: true, force: true })
  await assert.rejects(fsp.rm('made'), { code: 'ENOENT' })
  assert.deepEqual(await fsp.roots(), { resources: root })
})

test('file handles', async () => {
  const handle = await fsp.open('handled', 'w+', 0o600)
  assert.equal(typeof handle.fd, 'string')
  assert.deepEqual(await handle.write('hello ä'), { bytesWritten: 8, buffer: 'hello ä' })
  assert.equal((await handle.write(Buffer.from('XYZ'), 1, 1, 0)).bytesWritten, 1)
  await handle.write('Q', 1)
  await handle.sync()
  const buffer = OurBuffer.alloc(4)
  assert.deepEqual(await handle.read(buffer, 1, 3, 0), { bytesRead: 3, buffer })
  assert.equal(buffer.toString(), '\0YQl')
  assert.equal((await handle.read({ buffer, position: 4 })).bytesRead, 4)
  assert.equal((await handle.read({ position: 0 })).bytesRead, 8)
  assert.equal((await handle.stat()).size, 8)
  await handle.truncate(2)
  await handle.writeFile((async function * () { yield '1'; yield Buffer.from('2') })())
  assert.equal((await handle.stat()).size, 10, 'it goes on where the last write ended')
  await assert.rejects(handle.read(buffer, 3, 3), { code: 'ERR_OUT_OF_RANGE' })
  await handle.close()
  await handle.close()
  await assert.rejects(handle.stat(), { code: 'EBADF' })

  const reader = await fsp.open('big.bin')
  assert.ok(big.equals(await reader.readFile()))
  await reader.close()
  await assert.rejects(fsp.open('x', 5), { code: 'ERR_INVALID_ARG_VALUE' })
})

async function collect (iterable) {
  const found = []
  for await (const piece of iterable) found.push(piece)
  return found
}

test('read streams: as an iterable, as events, as a web stream', async () => {
  const pieces = await collect(fs.createReadStream('big.bin'))
  assert.ok(pieces.every((piece) => OurBuffer.isBuffer(piece) && piece.length <= 65536) && pieces.length > 1)
  assert.ok(Buffer.concat(pieces).equals(big))
  const part = fs.createReadStream('big.bin', { start: 1000, end: 200_000, highWaterMark: 1000 })
  assert.ok(Buffer.concat(await collect(part)).equals(big.subarray(1000, 200_001)))
  assert.equal(part.bytesRead, 199_001)
  assert.equal((await collect(fs.createReadStream('text.txt', { encoding: 'utf8', highWaterMark: 1 }))).join(''),
    CONTENT['text.txt'])
  assert.deepEqual(await collect(fs.createReadStream('empty.txt')), [])

  const events = []
  const stream = fs.createReadStream('text.txt', 'utf8')
  for (const name of ['ready', 'data', 'end', 'close']) stream.on(name, (value) => events.push(value ?? name))
  await new Promise((resolve) => stream.once('close', resolve))
  assert.deepEqual(events, ['ready', CONTENT['text.txt'], 'end', 'close'])
  assert.ok(stream.closed && stream.destroyed)

  const web = fs.createReadStream('bytes.bin').toWeb()
  assert.deepEqual(new Uint8Array(await new Response(web).arrayBuffer()), new Uint8Array(CONTENT['bytes.bin']))
  const handle = await fsp.open('big.bin')
  assert.ok(Buffer.concat(await collect(handle.createReadStream({ start: 5 }))).equals(big.subarray(5)))
  await handle.close()
})

test('read streams: pausing, giving up, failing', async () => {
  const stream = fs.createReadStream('big.bin', { highWaterMark: 1 << 16 })
  let seen = 0
  stream.on('data', () => {
    seen++
    stream.pause()
    setTimeout(() => stream.resume(), 1)
  })
  await sleep(10)
  assert.ok(seen < 48, `${seen} pieces`)
  await new Promise((resolve) => stream.on('end', resolve))
  assert.equal(seen, 48)

  host.cancelled.length = 0
  const left = fs.createReadStream('big.bin')
  let ended = false
  left.on('end', () => { ended = true })
  for await (const piece of left) {
    assert.ok(piece)
    break
  }
  await sleep(1)
  assert.deepEqual([left.destroyed, ended, host.cancelled.length], [true, false, 1])

  const destroyed = fs.createReadStream('big.bin')
  const closed = new Promise((resolve) => destroyed.on('close', resolve))
  destroyed.once('data', () => destroyed.destroy())
  await closed

  const controller = new AbortController()
  const aborted = fs.createReadStream('big.bin', { signal: controller.signal })
  const failed = new Promise((resolve) => aborted.on('error', resolve))
  aborted.once('data', () => controller.abort())
  assert.equal((await failed).name, 'AbortError')

  const missing = fs.createReadStream('none')
  const error = await new Promise((resolve) => missing.on('error', resolve).on('data', () => {}))
  assert.equal(error.code, 'ENOENT')
  await assert.rejects(collect(fs.createReadStream('none').on('error', () => {})), { code: 'ENOENT' })
  assert.throws(() => fs.createReadStream('x', { start: 5, end: 3 }), { code: 'ERR_INVALID_ARG_VALUE' })
})

test('a hundred read streams at once', async () => {
  const all = await Promise.all(Array.from({ length: 100 }, () => collect(fs.createReadStream('text.txt', 'utf8'))))
  assert.ok(all.every((pieces) => pieces.join('') === CONTENT['text.txt']))
})

test('write streams', async () => {
  const stream = fs.createWriteStream('written', { mode: 0o600 })
  const events = []
  for (const name of ['ready', 'finish', 'close']) stream.on(name, () => events.push(name))
  stream.write('ä')
  stream.write('6869', 'hex', () => events.push('told'))
  stream.end(Buffer.from('!'))
  await new Promise((resolve) => stream.once('close', resolve))
  assert.deepEqual(events, ['ready', 'told', 'finish', 'close'])
  assert.equal(await nodeFs.readFile(full('written'), 'utf8'), 'ähi!')
  assert.equal(stream.bytesWritten, 5)

  const slow = fs.createWriteStream('written', { flags: 'r+', start: 2, highWaterMark: 10 })
  assert.equal(slow.write('12'), true)
  assert.equal(slow.write('x'.repeat(10)), false)
  await new Promise((resolve) => slow.once('drain', resolve))
  await new Promise((resolve) => slow.end('.', resolve))
  assert.equal(await nodeFs.readFile(full('written'), 'utf8'), 'ä12xxxxxxxxxx.')

  await new Blob([big]).stream().pipeTo(fs.createWriteStream('piped').toWeb())
  assert.ok((await nodeFs.readFile(full('piped'))).equals(big))
  const handle = await fsp.open('piped', 'w')
  await new Promise((resolve) => handle.createWriteStream().end('by handle', resolve))
  await handle.close()
  assert.equal(await nodeFs.readFile(full('piped'), 'utf8'), 'by handle')
})

test('write streams that fail', async () => {
  const missing = fs.createWriteStream('no/such/folder')
  const told = new Promise((resolve) => missing.end('x', resolve))
  const error = await new Promise((resolve) => missing.on('error', resolve))
  assert.equal(error.code, 'ENOENT')
  assert.equal((await told).code, 'ENOENT')

  const ended = fs.createWriteStream('written')
  ended.end()
  const late = new Promise((resolve) => ended.on('error', resolve))
  assert.equal(ended.write('x'), false)
  assert.equal((await late).code, 'ERR_STREAM_WRITE_AFTER_END')

  const destroyed = fs.createWriteStream('written')
  destroyed.write('x')
  await sleep(5)
  destroyed.destroy()
  await new Promise((resolve) => destroyed.on('close', resolve))
  await sleep(5)
  assert.equal([...host.uploads.values()].at(-1).aborted, true)
})

test('watching', async () => {
  await fsp.mkdir('watched')
  const controller = new AbortController()
  const watcher = fsp.watch('watched', { signal: controller.signal })
  const first = watcher.next()
  await sleep(50)
  await fsp.writeFile('watched/new', 'x')
  const { value } = await first
  assert.deepEqual(value, { eventType: 'rename', filename: 'new' })
  controller.abort()
  await assert.rejects(async () => { for await (const _ of watcher); }, { name: 'AbortError' })

  const events = []
  const emitter = fs.watch('watched', (type, name) => events.push(name))
  assert.ok(emitter instanceof fs.FSWatcher && emitter instanceof named.Watcher)
  await sleep(50)
  await fsp.writeFile('watched/other', 'x')
  await sleep(50)
  emitter.close()
  await new Promise((resolve) => emitter.on('close', resolve))
  assert.ok(events.includes('other'))
  const failing = fs.watch('none')
  assert.equal((await new Promise((resolve) => failing.on('error', resolve))).code, 'ENOENT')
})

test('callbacks', async () => {
  assert.equal(await promisify(fs.readFile)('text.txt', 'utf8'), CONTENT['text.txt'])
  await promisify(fs.writeFile)('called', 'x')
  assert.equal((await promisify(fs.stat)('called')).size, 1)
  await assert.rejects(promisify(fs.readFile)('none'), { code: 'ENOENT' })
  await assert.rejects(promisify(fs.readFile)(5), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => fs.readFile('text.txt'), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.equal(await new Promise((resolve) => fs.exists('called', resolve)), true)
  assert.equal(await new Promise((resolve) => fs.exists('none', resolve)), false)

  const fd = await promisify(fs.open)('called', 'r+')
  const [written] = await new Promise((resolve, reject) =>
    fs.write(fd, 'abc', 0, 'utf8', (error, ...values) => error ? reject(error) : resolve(values)))
  assert.equal(written, 3)
  const [read, buffer] = await new Promise((resolve, reject) =>
    fs.read(fd, Buffer.alloc(2), 0, 2, 1, (error, ...values) => error ? reject(error) : resolve(values)))
  assert.deepEqual([read, buffer.toString()], [2, 'bc'])
  assert.equal((await promisify(fs.fstat)(fd)).size, 3)
  await promisify(fs.ftruncate)(fd, 1)
  await promisify(fs.fsync)(fd)
  await promisify(fs.close)(fd)
  await assert.rejects(promisify(fs.close)(fd), { code: 'EBADF' })
})
