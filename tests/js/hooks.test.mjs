import test from 'node:test'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

// a page, as far as hooks look at it
const page = new EventTarget()
for (const name of ['addEventListener', 'removeEventListener',
  'dispatchEvent']) globalThis[name] = page[name].bind(page)
globalThis.document = { readyState: 'loading' }

const { load } = await import('./support/modules.mjs')
const { default: hooks } = await load('hooks')
const fire = (name) => page.dispatchEvent(new Event(name))

test('what comes is told once, and not to who has gone', async () => {
  const seen = []
  hooks.onInit(() => seen.push('init'))
  hooks.onReady(() => seen.push('ready'))
  hooks.onLoad(() => seen.push('load'))
  hooks.onLoad(() => seen.push('never'))()
  fire('DOMContentLoaded')
  fire('DOMContentLoaded')
  fire('load')
  assert.deepEqual(seen, ['init', 'ready', 'load'])
})

test('what is so already is told at once', async () => {
  document.readyState = 'complete'
  const seen = []
  hooks.onReady(() => seen.push('ready'))
  hooks.onLoad(() => seen.push('load'))
  hooks.onLoad(() => seen.push('never'))()
  assert.deepEqual(seen, [])
  await sleep(0)
  assert.deepEqual(seen, ['ready', 'load'])
})

test('events of the page and the app', () => {
  const names = {
    onError: 'error', onData: 'data', onMessage: 'message', onOnline: 'online', onOffline: 'offline',
      onLanguageChange: 'languagechange', onPermissionChange: 'permissionchange',
    onApplicationURL: 'applicationurl', onApplicationPause: 'applicationpause', onApplicationResume: 'applicationresume'
  }
  for (const [hook, event] of Object.entries(names)) {
    let count = 0
    const stop = hooks[hook](() => count++)
    fire(event)
    fire(event)
    stop()
    fire(event)
    assert.equal(count, 2, hook)
    assert.throws(() => hooks[hook](5), TypeError)
  }
})

test('waiting', async () => {
  const waited = hooks.wait('custom')
  fire('custom')
  assert.equal((await waited).type, 'custom')
  const controller = new AbortController()
  const given = hooks.wait('custom', { signal: controller.signal })
  controller.abort()
  await assert.rejects(given, { name: 'AbortError' })
  await assert.rejects(hooks.wait('custom', { signal: AbortSignal.abort() }), { name: 'AbortError' })
})
