import test from 'node:test'
import assert from 'node:assert/strict'
import { Console as NodeConsole } from 'node:console'
import { Writable } from 'node:stream'
import { load } from './support/modules.mjs'

const { default: pageConsole, Console, ...named } = await load('console')

/** The same calls on both consoles, and what each wrote. */
function both (play) {
  const ours = []
  const target = Object.fromEntries(['log', 'debug', 'info', 'warn', 'error'].map((level) =>
    [level, (text) => ours.push(text + '\n')]))
  const theirs = []
  const sink = new Writable({ write (chunk, _, done) { theirs.push(chunk.toString()); done() } })
  play(new Console({ target }))
  play(new NodeConsole({ stdout: sink, stderr: sink }))
  return [ours.join(''), theirs.join('')]
}

test('a console of its own writes what that of Node.js writes', () => {
  const [ours, theirs] = both((console) => {
    console.log('a %s', { b: 1 }, [1, 2])
    console.info()
    console.group('Group', 1)
    console.warn('in\nside')
    console.group()
    console.error(new Map([[1, 2]]))
    console.groupEnd()
    console.groupEnd()
    console.groupEnd()
    console.log('out')
    console.count()
    console.count('x')
    console.count()
    console.countReset()
    console.count()
    console.assert(true, 'no')
    console.assert(false, 'yes %d', 5)
    console.assert(false)
    console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 })
    console.table([{ a: 1, b: 'x' }, { a: 2, c: [1] }])
    console.table([1, 'b'])
    console.table({ x: { a: 1 }, y: 5 })
    console.table([{ a: 1, b: 2 }], ['b'])
    console.table('text')
    console.debug('%c styled', 'css')
  })
  assert.equal(ours, theirs)
})

test('times', () => {
  const lines = []
  const console = new Console({ target: { log: (text) => lines.push(text), warn: (text) => lines.push(text) } })
  console.time('t')
  console.timeLog('t', 'more')
  console.timeEnd('t')
  console.timeEnd('t')
  assert.match(lines[0], /^t: \d+\.\d{3}ms more$/)
  assert.match(lines[1], /^t: \d+\.\d{3}ms$/)
  assert.match(lines[2], /No such label 't'/)
})

test("the module is the page's console", () => {
  assert.equal(pageConsole, globalThis.console)
  const { log } = new Console({ target: { log: (text) => assert.equal(text, 'bound') } })
  log('bound')
  for (const name of Object.keys(named)) assert.equal(typeof globalThis.console[name], 'function', name)
})
