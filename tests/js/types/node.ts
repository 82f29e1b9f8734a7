import { Buffer } from 'socket:buffer'
import EventEmitter, { once, on } from 'socket:events'
import path, { type ParsedPath, join, posix } from 'socket:path'
import { basename } from 'socket:path/posix'
import win32 from 'socket:path/win32'
import querystring from 'socket:querystring'
import { StringDecoder } from 'socket:string_decoder'
import url, { parse } from 'socket:url'
import util, { callbackify, format, inspect, promisify, types } from 'socket:util'
import { isDate } from 'socket:util/types'
import { Console, log } from 'socket:console'
import type { Equal, Expect } from './assert.js'

const buffer = Buffer.from('x', 'hex')
const emitter = new EventEmitter<{ data: [text: string, size: number], end: [] }>()
const loose = new EventEmitter()
const query = parse('http://a/?b', true).query
const promised = promisify((a: number, callback: (error: Error | null, value: string) =>
  void) => { void [a, callback] })
const plain = promisify((callback: (error: Error | null) => void) => { void callback })
const called = callbackify(async (a: number) => String(a))

export type Node = [
  Expect<Equal<typeof buffer, Buffer>>,
  Expect<Equal<ReturnType<typeof buffer.subarray>, Buffer>>,
  Expect<Equal<ReturnType<typeof buffer.readBigInt64LE>, bigint>>,
  Expect<Equal<ReturnType<typeof join>, string>>,
  Expect<Equal<ReturnType<typeof path.parse>, ParsedPath>>,
  Expect<Equal<typeof posix.basename, typeof basename>>,
  Expect<Equal<typeof win32, typeof path.win32>>,
  Expect<Equal<ReturnType<typeof querystring.parse>, Record<string, string | string[] | undefined>>>,
  Expect<Equal<typeof query, Record<string, string | string[] | undefined>>>,
  Expect<Equal<ReturnType<typeof promised>, Promise<string>>>,
  Expect<Equal<Parameters<typeof promised>, [a: number]>>,
  Expect<Equal<ReturnType<typeof plain>, Promise<void>>>,
  Expect<Equal<Parameters<typeof called>[1], (error: any, value: string) => void>>,
  Expect<Equal<ReturnType<typeof inspect>, string>>,
  Expect<Equal<ReturnType<typeof url.fileURLToPath>, string>>,
  Expect<Equal<Awaited<ReturnType<typeof once>>, any[]>>
]

emitter.on('data', (text, size) => text.length + size).once('end', () => {})
const heard: boolean = emitter.emit('data', 'x', 1)
loose.on('anything', (...values) => values).emit('anything', 1, 2)
// @ts-expect-error the size is missing
emitter.emit('data', 'x')
// @ts-expect-error no such event
emitter.on('other', () => {})
for await (const [value] of on(loose, 'x', { signal: AbortSignal.timeout(1), close: ['end'] })) void value

const bytes: Uint8Array = buffer
new TextDecoder().decode(buffer)
new Uint8Array(4).set(buffer)
class Named extends EventEmitter {}
new Named().on('x', () => {})
// @ts-expect-error not an encoding's argument
Buffer.from(5)
// @ts-expect-error a path is a text
join('a', 5)
const decoded: string = new StringDecoder('utf8').end(buffer)
if (types.isMap(query) || isDate(query)) format('%s', 1)
const shown = { [inspect.custom]: () => 'own' }
const own = new Console({ inspectOptions: { depth: 1 } })
own.table([{ a: 1 }], ['a'])
log('x')
util.inspect(shown, { compact: 2, sorted: true })
void [heard, bytes, decoded]
