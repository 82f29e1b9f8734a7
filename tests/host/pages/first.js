import { one } from './one.js'
import bare, { name } from 'socket:fs/promises'

const said = { origin: location.origin, secure: isSecureContext, preloaded: globalThis.seenFirst, module: one }
said.bare = bare === name ? bare : 'not the same'

async function call (url, options) {
  return await fetch(url, options)
}

const described = await call('ipc://describe?path=%2Fa%20b%26&n=1', { method: 'PUT', headers: { 'Socket-Token': 'abc' } })
said.described = await described.json()

const bytes = new Uint8Array(300000).map((_, i) => i * 7)
const echo = await call('ipc://echo', { method: 'POST', body: bytes })
said.kind = echo.headers.get('Socket-Kind')
const back = new Uint8Array(await echo.arrayBuffer())
said.echo = back.length === bytes.length && back.every((byte, i) => byte === bytes[i]) ? 'same' : `${back.length} bytes`
said.text = await (await call('ipc://echo', { method: 'POST', body: 'grüße' })).text()
await (await call('ipc://echo', { method: 'POST', body: new Uint8Array((1 << 20) + 1) })).text()

const teapot = await call('ipc://teapot')
said.status = teapot.status
said.error = (await teapot.json()).err.name
said.empty = (await (await call('ipc://empty')).arrayBuffer()).byteLength

const frame = document.querySelector('iframe')
if (frame.contentDocument?.readyState !== 'complete' || !frame.contentWindow.frameReady) {
  await new Promise(resolve => frame.addEventListener('load', resolve))
}
said.frame = frame.contentWindow.preloaded ?? null

said.worker = await new Promise(resolve => {
  const worker = new Worker('/worker.js')
  worker.onmessage = event => resolve(event.data)
  worker.onerror = () => resolve('error')
})

globalThis.streams = async () => {
  const said = { ticks: [], ticksText: '' }
  const reader = (await call('ipc://ticks')).body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    said.ticks.push(performance.now())
    said.ticksText += new TextDecoder().decode(value)
  }
  const flood = new Uint8Array(await (await call('ipc://flood?big=1')).arrayBuffer())
  said.flood = flood.length
  said.order = flood.every((byte, i) => byte === (i & 255))
  const controller = new AbortController()
  const endless = (await call('ipc://flood', { signal: controller.signal })).body.getReader()
  await endless.read()
  controller.abort()
  await call('ipc://tell', { method: 'POST', body: JSON.stringify(said) })
}

await call('ipc://tell', { method: 'POST', body: JSON.stringify(said) })
