// Without the preload: in a worker, a plain browser, Node.js.
import test from 'node:test'
import assert from 'node:assert/strict'
import { NAMES, load } from './support/modules.mjs'

test('every module can be imported', async () => {
  assert.equal(globalThis[Symbol.for('socket.runtime')], undefined)
  for (const name of NAMES) assert.ok(Object.keys(await load(name)).length > 0, name)
})

test('calls are refused with a clear error', async () => {
  const ipc = await load('ipc')
  const fs = await load('fs/promises')
  const refused = (error) => {
    assert.ok(error instanceof ipc.Unreachable, error.stack)
    assert.equal(error.name, 'NetworkError')
    assert.match(error.message, /there is no Socket Runtime here/)
    return true
  }
  await assert.rejects(ipc.call('os.info'), refused)
  await assert.rejects(fs.readFile('x'), refused)
  await assert.rejects(fs.writeFile('x', ['y']), refused)
  await assert.rejects(async () => { for await (const _ of fs.watch('x')); }, refused)
  const { ApplicationWindow } = await load('window')
  await assert.rejects(new ApplicationWindow(1).getSize(), refused)
  assert.equal((await ipc.request('os.info')).err.type, 'Unreachable')
  assert.equal(ipc.emit('nobody', 1), false)
  ipc.on('x', () => {})
})

test('what needs no call works', async () => {
  const path = await load('path')
  assert.equal(path.resolve('a'), '/a')
  const { default: runtimeProcess } = await load('process')
  assert.equal(runtimeProcess.cwd(), '/')
})
