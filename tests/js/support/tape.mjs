/** As much of `tape` and `mocha` as the upstream tests use; failures are told to `report`, none is thrown. */
import { EventEmitter } from 'node:events'
import assert from 'node:assert'

const CHECKS = {
  equal: assert.strictEqual,
  equals: assert.strictEqual,
  strictEqual: assert.strictEqual,
  notEqual: assert.notStrictEqual,
  notStrictEqual: assert.notStrictEqual,
  deepEqual: assert.deepStrictEqual,
  same: assert.deepStrictEqual,
  ok: assert.ok,
  assert: assert.ok,
  true: assert.ok,
  notOk: (value, message) => assert.ok(!value, message),
  throws: assert.throws,
  doesNotThrow: assert.doesNotThrow,
  error: assert.ifError,
  fail: assert.fail
}

/** A function `test(name, [options], body)`, and `run`, which runs what was registered. */
export function createTape (report) {
  const queue = []
  const test = (name, ...rest) => {
    const body = rest.pop()
    if (!rest[0]?.skip) queue.push(() => once(body, report))
  }
  test.skip = () => {}
  const finishers = []
  test.onFinish = (finisher) => finishers.push(finisher)
  const run = async () => {
    while (queue.length) await queue.shift()()
    for (const finisher of finishers) report(finisher)
  }
  return { test, run }
}

async function once (body, report) {
  const events = new EventEmitter()
  await new Promise((resolve) => {
    let planned = Infinity
    const t = {
      on: (name, listener) => events.on(name, listener),
      plan: (count) => { planned = count },
      end: resolve,
      comment () {},
      pass: () => count(),
      test: (name, inner) => once(inner, report)
    }
    const count = () => { if (--planned === 0) resolve() }
    for (const [name, check] of Object.entries(CHECKS)) {
      t[name] = (...values) => {
        report(() => check(...values))
        count()
      }
    }
    report(() => {
      const result = body.length === 0 ? (body(), resolve()) : body(t)
      result?.then?.(undefined, (error) => { report(() => { throw error }); resolve() })
    }, resolve)
  })
  events.emit('end')
}
