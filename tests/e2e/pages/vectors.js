// Every way that a page knows to make a request, aimed at a command that the page's policy allows. Only
// `fetch` and `XMLHttpRequest` of the top document may reach it: all others lack the token, the origin, or are
// navigations. Each request names its way in `tag`, so whatever runs the command is seen by its name.
import { ask, done, report, sleep } from '/lib.js'

const evil = document.documentElement.dataset.evil
const app = location.origin
const to = (tag) => `ipc://probe.act?tag=${tag}`

const add = (name, attributes, parent = document.body) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  parent.append(element)
  return element
}

const frame = (attributes) => new Promise((resolve) => {
  const element = add('iframe', attributes)
  element.addEventListener('load', () => resolve(element), { once: true })
  setTimeout(() => resolve(element), 1000)
})

// -- elements that load something ------------------------------------------------------------------------

const elements = {
  img: () => add('img', { src: to('img') }),
  'img-srcset': () => add('img', { srcset: to('img-srcset') + ' 2x' }),
  picture: () => add('source', { srcset: to('picture') }, add('picture', {})) && add('img', { src: '/none.png' }),
  script: () => add('script', { src: to('script') }),
  'script-module': () => add('script', { src: to('script-module'), type: 'module' }),
  stylesheet: () => add('link', { rel: 'stylesheet', href: to('stylesheet') }, document.head),
  icon: () => add('link', { rel: 'icon', href: to('icon') }, document.head),
  manifest: () => add('link', { rel: 'manifest', href: to('manifest') }, document.head),
  'preload-fetch': () => add('link', { rel: 'preload', as: 'fetch', href: to('preload-fetch') }, document.head),
  'preload-fetch-cors': () =>
    add('link', { rel: 'preload', as: 'fetch', crossorigin: 'anonymous', href: to('preload-fetch-cors') }, document.head),
  'preload-image': () => add('link', { rel: 'preload', as: 'image', href: to('preload-image') }, document.head),
  'preload-script': () => add('link', { rel: 'preload', as: 'script', href: to('preload-script') }, document.head),
  modulepreload: () => add('link', { rel: 'modulepreload', href: to('modulepreload') }, document.head),
  prefetch: () => add('link', { rel: 'prefetch', href: to('prefetch') }, document.head),
  'dns-prefetch': () => add('link', { rel: 'preconnect', href: to('dns-prefetch') }, document.head),
  'style-background': () => { add('div', {}).style.backgroundImage = `url("${to('style-background')}")` },
  'style-import': () => { add('style', {}).textContent = `@import "${to('style-import')}";` },
  'style-font': () => {
    add('style', {}).textContent = `@font-face { font-family: x; src: url("${to('style-font')}") } p { font-family: x }`
    add('p', {}).textContent = 'text'
  },
  fontface: () => document.fonts.add(new FontFace('y', `url("${to('fontface')}")`)) && document.fonts.load('12px y'),
  cursor: () => { document.body.style.cursor = `url("${to('cursor')}"), auto` },
  audio: () => add('audio', { src: to('audio'), preload: 'auto' }),
  video: () => add('video', { src: to('video'), preload: 'auto', poster: to('video-poster') }),
  track: () => add('track', { src: to('track'), default: '' }, add('video', { src: '/none.mp4' })),
  object: () => add('object', { data: to('object') }),
  embed: () => add('embed', { src: to('embed') }),
  iframe: () => add('iframe', { src: to('iframe') }),
  input: () => add('input', { type: 'image', src: to('input') }),
  background: () => document.body.setAttribute('background', to('background')),
  svg: () => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
    svg.innerHTML = `<image href="${to('svg-image')}"/><use href="${to('svg-use')}#a"/><feImage href="${to('svg-feimage')}"/>`
    document.body.append(svg)
  },
  base: () => {
    const base = add('base', { href: 'ipc://probe.act/' }, document.head)
    add('img', { src: '?tag=base' })
    base.remove()
  }
}

// -- scripts that ask without the token --------------------------------------------------------------------

const scripts = {
  beacon: () => navigator.sendBeacon(to('beacon'), 'x'),
  eventsource: () => new EventSource(to('eventsource')),
  websocket: () => new WebSocket('ipc://probe.act'),
  import: () => import(to('import')),
  'worker-ipc': () => new Worker(to('worker-ipc')),
  'worker-ipc-module': () => new Worker(to('worker-ipc-module'), { type: 'module' }),
  'shared-worker-ipc': () => new SharedWorker(to('shared-worker-ipc')),
  'audio-worklet': () => new OfflineAudioContext(1, 1, 44100).audioWorklet.addModule(to('audio-worklet')),
  'service-worker': () => navigator.serviceWorker.register(to('service-worker')),
  image: () => { new Image().src = to('image') },
  xslt: () => {
    const processor = new XSLTProcessor()
    const text = `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">` +
      `<xsl:copy-of select="document('${to('xslt')}')"/></xsl:template></xsl:stylesheet>`
    processor.importStylesheet(new DOMParser().parseFromString(text, 'text/xml'))
    processor.transformToDocument(new DOMParser().parseFromString('<a/>', 'text/xml'))
  }
}

// -- navigation --------------------------------------------------------------------------------------------

const submit = (tag, attributes) => {
  const form = add('form', { action: 'ipc://probe.act', ...attributes })
  add('input', { name: 'tag', value: tag }, form)
  form.submit()
}
const click = (tag, attributes) => add('a', { href: to(tag), ...attributes }).click()

const navigations = {
  location: () => { location = to('location') },
  'location-assign': () => location.assign(to('location-assign')),
  'location-replace': () => location.replace(to('location-replace')),
  anchor: () => click('anchor'),
  'anchor-blank': () => click('anchor-blank', { target: '_blank' }),
  'anchor-download': () => click('anchor-download', { download: 'x' }),
  'anchor-ping': () => add('a', { href: '#here', ping: to('anchor-ping') }).click(),
  'form-get': () => submit('form-get', { method: 'get' }),
  'form-post': () => submit('form-post', { method: 'post', action: to('form-post') }),
  'form-multipart': () => submit('form-multipart', { method: 'post', enctype: 'multipart/form-data', action: to('form-multipart') }),
  'form-blank': () => submit('form-blank', { method: 'post', target: '_blank', action: to('form-blank') }),
  'form-frame': () => {
    add('iframe', { name: 'inner' })
    submit('form-frame', { method: 'post', target: 'inner', action: to('form-frame') })
  },
  'form-frame-get': () => submit('form-frame-get', { method: 'get', target: 'inner' }),
  'meta-refresh': () => add('meta', { 'http-equiv': 'refresh', content: `0;url=${to('meta-refresh')}` }, document.head),
  open: () => window.open(to('open')),
  'open-self': () => window.open(to('open-self'), '_self'),
  'open-named': () => window.open(to('open-named'), 'inner'),
  'frame-location': () => { document.querySelector('iframe').contentWindow.location = to('frame-location') },
  'push-state': () => history.pushState(null, '', to('push-state'))
}

// -- frames and workers, that run scripts of their own --------------------------------------------------------

const asked = {}
addEventListener('message', (event) => { if (event.data?.tag) asked[event.data.tag] = event.data })

const inner = (tag) => `<!doctype html><body><script src="${app}/frame.js?tag=${tag}"></${'script'}>`

async function frames () {
  await Promise.all([
    frame({ src: '/frame.html?tag=own' }),
    frame({ src: '/nested.html' }),
    frame({ srcdoc: inner('srcdoc') }),
    frame({ srcdoc: inner('sandboxed'), sandbox: 'allow-scripts' }),
    frame({ src: '/frame.html?tag=sandboxed-own', sandbox: 'allow-scripts' }),
    frame({ src: 'data:text/html,' + encodeURIComponent(inner('data')) }),
    frame({ src: URL.createObjectURL(new Blob([inner('blob')], { type: 'text/html' })) }),
    frame({ src: `${evil}/frame?tag=foreign` }),
    frame({ src: `${evil}/nest?tag=foreign-nested` })
  ])
  const blank = await frame({})
  add('script', { src: `${app}/frame.js?tag=blank` }, blank.contentDocument.body)
  // the engine's own functions, fetched back from a frame that no preload has touched
  const bare = (await frame({ src: '/frame.html?tag=bare' })).contentWindow
  const attempts = {
    'stolen-fetch': () => bare.fetch(to('stolen-fetch')),
    'stolen-fetch-here': () => bare.fetch.call(window, to('stolen-fetch-here')),
    'stolen-no-cors': () => bare.fetch(to('stolen-no-cors'), { mode: 'no-cors', method: 'POST', body: 'x' }),
    'stolen-keepalive': () => bare.fetch(to('stolen-keepalive'), { keepalive: true, method: 'POST', body: 'x' }),
    'stolen-guess': () => bare.fetch(to('stolen-guess'), { headers: { 'Socket-Token': '0'.repeat(32) } }),
    'stolen-empty': () => bare.fetch(to('stolen-empty'), { headers: { 'Socket-Token': '' } }),
    'stolen-request': () => bare.fetch(new bare.Request(to('stolen-request'))),
    'stolen-xhr': () => new Promise((resolve) => {
      const xhr = new bare.XMLHttpRequest()
      xhr.onloadend = () => resolve({ status: xhr.status })
      xhr.open('POST', to('stolen-xhr'))
      xhr.send('x')
    }),
    'odd-scheme': () => fetch(to('odd-scheme').replace('ipc', 'IPC')),
    'odd-space': () => fetch(' ' + to('odd-space')),
    'odd-object': () => fetch({ toString: () => to('odd-object') })
  }
  for (const [tag, attempt] of Object.entries(attempts)) {
    asked[tag] = await attempt().then((response) => ({ status: response.status }), (error) => ({ status: 0, error: String(error) }))
  }
}

const source = (tag) => `fetch('${to(tag)}').then((r) => r.status, () => 0).then((status) => postMessage({ tag: '${tag}', status }))`

async function workers () {
  const made = {
    worker: () => new Worker('/worker.js?tag=worker'),
    'worker-module': () => new Worker('/worker.js?tag=worker-module', { type: 'module' }),
    'worker-blob': () => new Worker(URL.createObjectURL(new Blob([source('worker-blob')], { type: 'text/javascript' }))),
    'worker-data': () => new Worker('data:text/javascript,' + encodeURIComponent(source('worker-data')))
  }
  for (const [tag, make] of Object.entries(made)) {
    try {
      const worker = make()
      asked[tag] = await new Promise((resolve) => {
        worker.onmessage = (event) => resolve(event.data)
        worker.onerror = () => resolve({ tag, status: 0, error: 'not started' })
        setTimeout(() => resolve({ tag, status: 0, error: 'no answer' }), 1000)
      })
    } catch (error) {
      asked[tag] = { status: 0, error: String(error) }
    }
  }
}

async function tryAll (ways) {
  const refused = {}
  for (const [tag, way] of Object.entries(ways)) {
    try {
      const result = way()
      if (result instanceof Promise) await Promise.race([result, sleep(300)])
    } catch (error) {
      refused[tag] = String(error)
    }
    await sleep(5)
  }
  return refused
}

report({ refusedElements: await tryAll(elements) })
report({ refusedScripts: await tryAll(scripts) })
await frames()
await workers()
report({ refusedNavigations: await tryAll(navigations) })
await sleep(400)
report({ asked })
report({ legitimate: await ask(to('legitimate')) })
done()
