import fsDefault, {
  type Stats as FsStats, constants, createReadStream, createWriteStream, open, promises, readFile, stat, watch
} from 'socket:fs'
import fs, { type Dirent, type FileHandle, type Stats, readdir, readFile as read, roots } from 'socket:fs/promises'
import type { Buffer } from 'socket:buffer'
import type { ReadStream, WriteStream } from 'socket:fs/stream'
import type { Equal, Expect } from './assert.js'

const bytes = await fs.readFile('a')
const same = await fs.readFile(new URL('file:///a'), { signal: AbortSignal.timeout(5) })
const text = await fs.readFile('a', 'utf8')
const options = await fs.readFile('a', { encoding: 'hex' })
const names = await readdir('a')
const entries = await readdir('a', { withFileTypes: true })
const stats = await fs.stat('a')
const handle = await fs.open('a', 'r+')
const taken = await handle.read(new Uint8Array(5), 0, 5, null)
const made = await fs.mkdir('a', { recursive: true })
const home = (await roots()).home

export type Promises = [
  Expect<Equal<typeof bytes, Buffer>>,
  Expect<Equal<typeof same, Buffer>>,
  Expect<Equal<typeof text, string>>,
  Expect<Equal<typeof options, string>>,
  Expect<Equal<typeof names, string[]>>,
  Expect<Equal<typeof entries, Dirent[]>>,
  Expect<Equal<typeof stats, Stats>>,
  Expect<Equal<typeof stats.mtime, Date>>,
  Expect<Equal<Stats, FsStats>>,
  Expect<Equal<typeof handle, FileHandle>>,
  Expect<Equal<typeof handle.fd, string>>,
  Expect<Equal<typeof taken.bytesRead, number>>,
  Expect<Equal<typeof made, void>>,
  Expect<Equal<typeof home, string | undefined>>,
  Expect<Equal<typeof promises, typeof fs>>,
  Expect<Equal<typeof constants.R_OK, number>>
]

await fs.writeFile('a', 'text')
await fs.writeFile('a', new Uint8Array(3), { flag: 'wx', mode: 0o600 })
await fs.writeFile(handle, [new Uint8Array(1), 'x'])
await fs.writeFile('a', new Blob(['x']).stream(), 'utf8')
await fs.appendFile('a', (async function * () { yield 'x' })())
await fs.copyFile('a', 'b', constants.COPYFILE_EXCL)
for await (const { eventType, filename } of fs.watch('a', { recursive: true })) {
  const change: 'rename' | 'change' = eventType
  const name: string | null = filename
  void [change, name]
}
for await (const entry of await fs.opendir('a')) entry.isDirectory()

// @ts-expect-error no such encoding
await fs.readFile('a', 'utf9')
// @ts-expect-error flags have names
await fs.open('a', 2)
// @ts-expect-error not data
await fs.writeFile('a', 5)
// @ts-expect-error not offered
fs.readFileSync('a')
// @ts-expect-error not offered
await fs.stat('a', { bigint: true })

readFile('a', (error, value) => { const buffer: Buffer = value; void [error, buffer] })
readFile('a', 'utf8', (error, value) => { const content: string = value; void [error, content] })
stat('a', (_, value) => value.isFile())
open('a', (_, fd) => { const id: string = fd; void id })
// @ts-expect-error without a callback
readFile('a')

const input = createReadStream('a', { start: 1, end: 5, encoding: 'utf8' })
input.on('data', (piece) => { const given: Buffer | string = piece; void given }).on('error', (error) => error.message)
// @ts-expect-error no such event
input.on('dataa', () => {})
for await (const piece of input) void piece
const output = createWriteStream('a', 'latin1')
const more: boolean = output.write('x', 'hex', (error) => error?.message)
output.end('x')
output.on('drain', () => {})
watch('a', (type, name) => { const kind: 'rename' | 'change' = type; void [kind, name] }).close()
watch('a', { recursive: true }).on('change', (type) => type)

export type Streams = [
  Expect<Equal<typeof input, ReadStream>>,
  Expect<Equal<typeof output, WriteStream>>,
  Expect<Equal<ReturnType<typeof input.toWeb>, ReadableStream>>,
  Expect<Equal<typeof fsDefault.readFile, typeof readFile>>,
  Expect<Equal<typeof read, typeof fs.readFile>>
]
void more
