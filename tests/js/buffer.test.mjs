import './support/globals.mjs'
import test from 'node:test'
import assert from 'node:assert/strict'
import nodeBuffer, { Buffer as NodeBuffer } from 'node:buffer'
import { StringDecoder as NodeDecoder } from 'node:string_decoder'
import { agree } from './support/oracle.mjs'
import { Random } from './support/random.mjs'
import { load } from './support/modules.mjs'

const { default: buffer } = await load('buffer')
const { StringDecoder } = await load('string_decoder')
const { Buffer } = buffer
const ROUNDS = 4000
const ENCODINGS = ['utf8', 'utf-8', 'hex', 'base64', 'base64url', 'latin1', 'binary', 'ascii', 'ucs2', 'utf16le',
  'UTF8', 'Hex', undefined, 'bad']
const CHARS = [...'abcdef0123456789+/-_= \nzZéÿ€😀', '\ud800', '\udc00']
const LATIN = CHARS.filter((char) => char.charCodeAt(0) < 256)
const OFFSETS = [0, 1, 2, 3, 5, 8, -1, -3, 1.5, NaN, undefined, 20, 100, Infinity]
const VALUES = [0, 1, -1, 127, 128, 255, 256, -128, -129, 65535, 65536, -32768, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40,
  2 ** 47, 2 ** 48, -(2 ** 47), 1.5, NaN, '3', undefined, -123456]
const BIGS = [0n, 1n, -1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n), -(2n ** 63n) - 1n]

/** Run the same with both classes and compare. */
const both = (label, run) => agree(label, () => run(Buffer), () => run(NodeBuffer))

test('text and bytes: the same as Node.js', () => {
  const random = new Random(11)
  for (let round = 0; round < ROUNDS; round++) {
    const encoding = random.pick(ENCODINGS)
    // what Node.js makes of characters above 255 in base64 depends on how V8 stored the text
    const text = random.text(/^base/.test(encoding) ? LATIN : CHARS, 30)
    const bytes = random.bytes(20)
    const [start, end] = [random.pick(OFFSETS), random.pick(OFFSETS)]
    both(`from ${JSON.stringify(text)} ${encoding}`, (B) => B.from(text, encoding))
    both(`byteLength ${JSON.stringify(text)} ${encoding}`, (B) => B.byteLength(text, encoding))
    both(`toString ${bytes} ${encoding} ${start} ${end}`, (B) => B.from(bytes).toString(encoding, start, end))
    both(`write ${JSON.stringify(text)} ${start} ${end} ${encoding}`, (B) => {
      const target = B.from(bytes)
      const written = start === undefined ? target.write(text) : target.write(text, start, end, encoding)
      return [target, written]
    })
    both(`round trip ${encoding}`, (B) => B.from(B.from(bytes).toString(encoding), encoding))
  }
})

test('searching, filling, copying, comparing: the same as Node.js', () => {
  const random = new Random(13)
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = random.bytes(30).map((byte) => byte % 4 + 97)
    const needles = [random.text(['a', 'b', 'c', 'é'], 3) || 'a', random.below(300), random.pick(VALUES)]
    const [a, b, c, d] = Array.from({ length: 4 }, () => random.pick(OFFSETS))
    const encoding = random.pick(['utf8', 'latin1', 'hex', undefined, 'bad'])
    const needle = random.pick(needles)
    for (const method of ['indexOf', 'lastIndexOf', 'includes']) {
      if (encoding !== 'hex') both(`${method} ${bytes} ${needle} ${a} ${encoding}`, (B) =>
        B.from(bytes)[method](needle, a, encoding))
      both(`${method} of bytes`, (B) => B.from(bytes)[method](B.from(bytes.slice(2, 4).concat(97)), a))
    }
    both(`fill ${needle} ${a} ${b}`, (B) => a === undefined ? B.from(bytes).fill(needle) : B.from(bytes).fill(needle, a,
      b, encoding))
    both('fill bytes', (B) => B.alloc(9).fill(B.from([1, 2])))
    both(`slice ${a} ${b}`, (B) => [B.from(bytes).slice(a, b), B.from(bytes).subarray(a, b)])
    both(`compare ${a} ${b} ${c} ${d}`, (B) => B.from(bytes).compare(B.from('abcd'), a, b, c, d))
    both(`copy ${a} ${b} ${c}`, (B) => {
      const target = B.alloc(10)
      return [B.from(bytes).copy(target, a, b, c), target]
    })
    both(`concat ${a}`, (B) => B.concat([B.from(bytes), B.from([1])], a))
    both(`alloc ${needle}`, (B) => B.alloc(5, needle, encoding))
    both(`memory ${a} ${b}`, (B) => B.from(new Uint8Array(bytes).buffer, a, b))
    for (const size of [16, 32, 64]) both(`swap${size}`, (B) => B.from(bytes)[`swap${size}`]())
    both('equals', (B) => [B.from(bytes).equals(B.from(bytes)), B.from(bytes).equals(B.from('a')),
      B.compare(B.from(bytes), B.from('b'))])
  }
})

test('numbers: the same as Node.js', () => {
  const random = new Random(17)
  const names = Object.getOwnPropertyNames(NodeBuffer.prototype).filter((name) => /^(read|write)[A-Z]/.test(name))
  assert.ok(names.length > 60)
  for (const name of names) {
    for (let round = 0; round < 100; round++) {
      const bytes = random.bytes(12)
      const [value, offset, size] = [random.pick(/Big/.test(name) ? BIGS : VALUES), random.pick(OFFSETS),
        random.pick(OFFSETS)]
      both(`${name} ${bytes} ${value} ${offset} ${size}`, (B) => {
        const target = B.from(bytes)
        return /^read/.test(name) ? target[name](offset, size) : [target[name](value, offset, size), target]
      })
    }
  }
})

test('what a Buffer is made from', () => {
  const sources = [
    [1, 2, 300, -1, 1.7], new Uint16Array([256, 257]), { length: 2, 0: 5, 1: 6 }, { type: 'Buffer', data: [1, 2] },
      new String('abc'),
    { valueOf: () => 'x' }, { [Symbol.toPrimitive]: () => 'p' }, new ArrayBuffer(3), {}, null, undefined, 5, true,
      () => {}, Symbol('s'), { length: '2' }
  ]
  for (const source of sources) both(String(source?.constructor?.name), (B) => B.from(source))
  for (const size of [0, 5, -1, NaN, '5', undefined, 2 ** 40, Infinity]) {
    for (const method of ['alloc', 'allocUnsafe', 'allocUnsafeSlow']) both(`${method} ${size}`, (B) =>
      B[method](size).length)
  }
  both('copyBytesFrom', (B) => B.copyBytesFrom(new Uint16Array([1, 2, 3]), 1, 1))
  for (const wrong of [5, 'x', null, [1]]) {
    both('concat', (B) => B.concat(wrong))
    both('compare', (B) => B.compare(wrong, B.alloc(1)))
    both('byteLength', (B) => B.byteLength(wrong))
  }
})

test('it is a Uint8Array, and stays a Buffer', () => {
  const made = Buffer.from('abc')
  assert.ok(made instanceof Uint8Array && made instanceof Buffer && Buffer.isBuffer(made))
  for (const part of [made.slice(1), made.subarray(1), made.map((byte) => byte), made.filter(Boolean), new Buffer('x'),
    Buffer('x'), new buffer.SlowBuffer(2)]) {
    assert.ok(Buffer.isBuffer(part))
  }
  assert.equal(made.slice(1).buffer, made.buffer)
  assert.equal(made.constructor, Buffer)
  assert.equal(JSON.stringify(made), '{"type":"Buffer","data":[97,98,99]}')
  assert.equal(made.inspect(), '<Buffer 61 62 63>')
  assert.equal(Buffer.alloc(52).inspect().slice(-24), '00 00 00 ... 2 more bytes>'.slice(-24))
  assert.deepEqual(Object.getOwnPropertyNames(NodeBuffer.prototype).filter((name) => !(name in Buffer.prototype)), [])
  assert.deepEqual(Object.getOwnPropertyNames(NodeBuffer).filter((name) => !(name in Buffer)), [])
  class Mine extends Buffer {}
  assert.ok(Buffer.isBuffer(Mine.from('x')))
  assert.throws(() => Buffer(5, 'utf8'), TypeError)
})

test('beside the class', () => {
  for (const input of [Buffer.from('abc'), Buffer.from('ä'), Buffer.from([0xff])]) {
    assert.equal(buffer.isUtf8(input), nodeBuffer.isUtf8(input))
    assert.equal(buffer.isAscii(input), nodeBuffer.isAscii(input))
  }
  for (const [from, to] of [['utf8', 'ucs2'], ['utf8', 'latin1'], ['latin1', 'utf8'], ['utf8', 'ascii'],
    ['ucs2', 'utf8']]) {
    const text = NodeBuffer.from('aé€', from)
    assert.deepEqual([...buffer.transcode(text, from, to)], [...nodeBuffer.transcode(text, from, to)], `${from} ${to}`)
  }
  assert.equal(buffer.kMaxLength, buffer.constants.MAX_LENGTH)
})

test('text in pieces: the same as Node.js, wherever it is cut', () => {
  const random = new Random(19)
  for (const encoding of ['utf8', 'utf16le', 'base64', 'base64url', 'hex', 'latin1', 'ascii', undefined]) {
    for (let round = 0; round < 500; round++) {
      const bytes = encoding === 'utf8' && round % 2 ? random.bytes(20) : [...NodeBuffer.from(random.text(CHARS, 20))]
      const ours = new StringDecoder(encoding)
      const theirs = new NodeDecoder(encoding)
      let [got, expected] = ['', '']
      for (let at = 0; at < bytes.length;) {
        const size = 1 + random.below(4)
        const piece = NodeBuffer.from(bytes.slice(at, at + size))
        got += ours.write(piece)
        expected += theirs.write(piece)
        at += size
      }
      assert.equal(got + ours.end(), expected + theirs.end(), `${encoding} ${bytes}`)
    }
  }
  assert.equal(new StringDecoder('UTF-8').encoding, 'utf8')
  assert.throws(() => new StringDecoder('bad'), { code: 'ERR_UNKNOWN_ENCODING' })
})
