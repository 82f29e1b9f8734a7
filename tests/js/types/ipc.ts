import ipc, {
  type IPCError, type Result, Aborted, CommandFailed, Denied, OK, TIMEOUT, call, emit, off, on, once, request, send,
  stream, upload, write
} from 'socket:ipc'
import { Denied as SameDenied } from 'socket:errors'
import type { Equal, Expect } from './assert.js'

interface Note { id: number, text: string }

const note = await call<Note>('notes.get', { id: 1 }, { signal: AbortSignal.timeout(5), timeout: 10 })
const anything = await call('notes.get')
const result = await request<Note>('notes.get')
const written = await write<number>('notes.image', { id: 1 }, new Uint8Array(3))
const count = await upload<number>('notes.import', {}, new Blob(['x']).stream())
const stop = on<Note>('changed', (detail) => detail.text)
const next = once<Note>('changed')
const stopOnce = once<Note>('changed', (detail) => detail.id)

export type Calls = [
  Expect<Equal<typeof note, Note>>,
  Expect<Equal<typeof anything, any>>,
  Expect<Equal<typeof result, Result<Note>>>,
  Expect<Equal<typeof result.err, IPCError | null>>,
  Expect<Equal<typeof result.data, Note>>,
  Expect<Equal<typeof written, Result<number>>>,
  Expect<Equal<typeof count, number>>,
  Expect<Equal<typeof stop, () => void>>,
  Expect<Equal<typeof next, Promise<Note>>>,
  Expect<Equal<typeof stopOnce, () => void>>,
  Expect<Equal<typeof send, typeof request>>,
  Expect<Equal<typeof Denied, typeof SameDenied>>,
  Expect<Equal<typeof OK, 0>>,
  Expect<Equal<typeof TIMEOUT, number>>,
  Expect<Equal<typeof ipc.call, typeof call>>
]

for await (const item of stream<Note>('notes.all')) item.text
await upload('x', null, [new Uint8Array(1), 'text', new ArrayBuffer(2)])
emit('changed', { id: 1 })
off('changed')

try {
  await call('x')
} catch (error) {
  if (error instanceof Denied) { const line: string | undefined = error.missing; void line }
  if (error instanceof CommandFailed && error.code === 'ENOENT') error.syscall?.length
  if (error instanceof Aborted) error.source.length
}

// @ts-expect-error a command is a text
await call(5)
// @ts-expect-error arguments are an object
await call('x', 'y')
// @ts-expect-error no such type
await call('x', {}, { responseType: 'xml' })
// @ts-expect-error not a source
await upload('x', {}, 5)
// @ts-expect-error there is no way without waiting
ipc.sendSync('x')
