import './support/globals.mjs'
import test from 'node:test'
import assert from 'node:assert/strict'
import nodePath from 'node:path'
import { agree } from './support/oracle.mjs'
import { Random } from './support/random.mjs'
import { load } from './support/modules.mjs'

const { default: path } = await load('path')
const ROUNDS = 20_000
const ALPHABETS = {
  posix: ['/', '/', '.', '..', 'a', 'b.c', '.x', 'x.', '//', 'foo', '...', 'a.b.c'],
  win32: ['/', '\\', '\\', '.', '..', 'a', 'b.c', '.x', 'x.', '//', '...', 'c:', 'D:', 'c', ':', '?', 'CON:', 'nul:']
}
const BASES = { posix: ['/', '/w'], win32: ['c:/', '//s/t/', 'D:\\x\\'] }

for (const kind of ['posix', 'win32']) {
  test(`${kind}: the same as Node.js for random paths`, () => {
    const ours = path[kind]
    const theirs = nodePath[kind]
    const random = new Random(kind.length)
    const gen = () => random.text(ALPHABETS[kind], 7)
    const same = (method, ...args) =>
      agree(`${kind}.${method}(${JSON.stringify(args)})`, () => ours[method](...args), () => theirs[method](...args))
    for (let round = 0; round < ROUNDS; round++) {
      const [a, b, c] = [gen(), gen(), gen()]
      const base = random.pick(BASES[kind])
      for (const method of ['normalize', 'dirname', 'basename', 'extname', 'parse', 'isAbsolute']) same(method, a)
      same('basename', a, b)
      same('join', a, b, c)
      same('resolve', base, a, b, c)
      same('resolve', a)
      same('relative', base + a, base + b)
      same('relative', base + a, base + a + '/' + b)
      same('toNamespacedPath', base + a)
      same('format', theirs.parse(a))
    }
  })

  test(`${kind}: wrong arguments`, () => {
    for (const wrong of [undefined, null, 5, {}, [], true, Symbol('s')]) {
      for (const method of ['normalize', 'dirname', 'basename', 'extname', 'parse', 'isAbsolute', 'join', 'resolve',
        'relative', 'format']) {
        agree(`${method} ${String(wrong)}`, () => path[kind][method](wrong), () => nodePath[kind][method](wrong))
      }
    }
  })
}

test('the parts of the module', () => {
  assert.equal(path, path.posix)
  assert.equal(path.posix.win32, path.win32)
  assert.equal(path.win32.posix, path.posix)
  assert.deepEqual([path.sep, path.delimiter, path.win32.sep, path.win32.delimiter], ['/', ':', '\\', ';'])
  const missing = Object.keys(nodePath).filter((key) => !(key in path))
  assert.deepEqual(missing.filter((key) => key !== 'matchesGlob'), ['_makeLong'])
})
