// In frames: ask in every way, and tell the top document what came of it.
const tag = new URL(document.currentScript.src).searchParams.get('tag') ?? new URLSearchParams(location.search).get('tag')
const url = `ipc://probe.act?tag=frame-${tag}`

const xhr = new Promise((resolve) => {
  const request = new XMLHttpRequest()
  request.onloadend = () => resolve(request.status)
  try {
    request.open('POST', url + '-xhr')
    request.send('x')
  } catch {
    resolve(-1)
  }
})
const fetched = fetch(url).then((response) => response.status, () => 0)
const blind = fetch(url + '-no-cors', { mode: 'no-cors', method: 'POST', body: 'x' }).then(() => 1, () => 0)

Promise.all([fetched, xhr, blind]).then(([status, xhrStatus]) => {
  const runtime = globalThis[Symbol.for('socket.runtime')]
  const bridges = Object.keys(globalThis.webkit?.messageHandlers ?? {})
  top.postMessage({ tag, status, xhrStatus, runtime: runtime !== undefined, bridges, origin: globalThis.origin }, '*')
})
