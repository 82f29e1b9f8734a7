import './support/globals.mjs'
import test from 'node:test'
import assert from 'node:assert/strict'
import nodeQuerystring from 'node:querystring'
import nodeUrl from 'node:url'
import { agree, outcome } from './support/oracle.mjs'
import { Random } from './support/random.mjs'
import { load } from './support/modules.mjs'

const { default: url } = await load('url')
const { default: querystring } = await load('querystring')
const PIECES = ['http:', 'foo:', 'file:', '//', '/', '/', '..', '.', 'a', 'b', 'c.d', '?', '?x=1&y=2', '#h', '@',
  'user', ':80', 'q r', '%20', 'é', '[::1]', 'javascript:', 'ex.com']
const BASES = ['http://ex.com/a/b?c#d', 'http://u:p@h/x/', 'file:///a/b', 'foo:a/b', '/a/b/c', '//h/p']

process.removeAllListeners('warning')

/** Where Node.js throws (it refuses some hosts today) the lenient reading stays. */
function agreeUnlessRefused (label, ours, theirs) {
  if (!outcome(theirs).error) agree(label, ours, theirs)
}

test('the older functions: the same as Node.js for random URLs', () => {
  const random = new Random(3)
  for (let round = 0; round < 10_000; round++) {
    const text = random.text(PIECES, 7)
    const base = random.pick(BASES)
    for (const flags of [[], [true], [false, true]]) {
      agreeUnlessRefused(`parse ${text} ${flags}`, () => ({ ...url.parse(text, ...flags) }), () =>
        ({ ...nodeUrl.parse(text, ...flags) }))
    }
    agreeUnlessRefused(`resolve ${base} ${text}`, () => url.resolve(base, text), () => nodeUrl.resolve(base, text))
    agreeUnlessRefused(`format ${text}`, () => url.format(nodeUrl.parse(text)), () =>
      nodeUrl.format(nodeUrl.parse(text)))
  }
})

test('format of objects and of URLs', () => {
  const objects = [
    { protocol: 'http', host: 'a.com', pathname: 'x' }, { hostname: '::1', protocol: 'http:', port: 8 },
      { pathname: '/a?b#c' },
    { query: { a: [1, 2], b: 'x y' } }, { search: 'a#b', hash: 'c' }, { slashes: true, pathname: 'p' },
      { auth: 'a:b c', host: 'h', protocol: 'x:' }
  ]
  for (const object of objects) agree(JSON.stringify(object), () => url.format(object), () => nodeUrl.format(object))
  const whole = new URL('http://user:word@ex.com/p?q#h')
  for (const options of [undefined, { auth: false }, { fragment: false }, { search: false }]) {
    assert.equal(url.format(whole, options), nodeUrl.format(whole, options))
  }
  for (const wrong of [undefined, null, 5, true]) agree(String(wrong), () => url.format(wrong), () =>
    nodeUrl.format(wrong))
  for (const wrong of [undefined, null, 5, {}]) agree(String(wrong), () => url.parse(wrong), () => nodeUrl.parse(wrong))
})

test('files and URLs', () => {
  const random = new Random(5)
  for (let round = 0; round < 3000; round++) {
    const path = '/' + random.text(['/', 'a', ' ', '%', '#', '?', '\\', 'é', '\n', '..', '&', '"'], 6)
    const made = outcome(() => url.pathToFileURL(path).href)
    assert.deepEqual(made, outcome(() => nodeUrl.pathToFileURL(path).href), path)
    if (made.value) agree(made.value, () => url.fileURLToPath(made.value), () => nodeUrl.fileURLToPath(made.value))
  }
  for (const wrong of ['http://x/', 'file://host/x', 'file:///a%2Fb', 5, undefined, 'nonsense']) {
    agree(String(wrong), () => url.fileURLToPath(wrong), () => nodeUrl.fileURLToPath(wrong))
  }
  const windows = { windows: true }
  assert.equal(url.fileURLToPath('file:///C:/a%20b/c', windows), 'C:\\a b\\c')
  assert.equal(url.fileURLToPath('file://server/share/x', windows), '\\\\server\\share\\x')
  assert.throws(() => url.fileURLToPath('file:///a/b', windows), { code: 'ERR_INVALID_FILE_URL_PATH' })
  assert.equal(url.pathToFileURL('C:\\a b\\c#d', windows).href, 'file:///C:/a%20b/c%23d')
  assert.equal(url.pathToFileURL('\\\\server\\share\\x', windows).href, 'file://server/share/x')
})

test('the rest', () => {
  assert.equal(url.URL, URL)
  assert.equal(url.URLSearchParams, URLSearchParams)
  for (const domain of ['español.com', '中文.com', 'ex.com', 'A.B', 'xn--iñvalid.com']) {
    assert.equal(url.domainToASCII(domain), nodeUrl.domainToASCII(domain))
  }
  const whole = new URL('http://us%40er:word@[::1]:8080/p?q#h')
  assert.deepEqual(url.urlToHttpOptions(whole), { ...nodeUrl.urlToHttpOptions(whole) })
})

test('querystring: the same as Node.js', () => {
  const random = new Random(7)
  const pieces = ['a', 'b=', '=', '&', '&', '+', '%20', '%', '%zz', '%C3%A9', '%FF', 'é', '[]', '\ud83d\ude00', ';',
    ':']
  for (let round = 0; round < 20_000; round++) {
    const text = random.text(pieces, 8)
    agree(text, () => querystring.unescape(text), () => nodeQuerystring.unescape(text))
    agree(text, () => querystring.escape(text), () => nodeQuerystring.escape(text))
    // here Node.js cuts characters to bytes, or not, depending on what stood before them
    if (/%(?![0-9a-f]{2})|%FF/i.test(text) && /[^\0-\x7f]/.test(text)) continue
    agree(text, () => querystring.parse(text), () => nodeQuerystring.parse(text))
    agree(text, () => querystring.parse(text, ';', ':', { maxKeys: 2 }), () =>
      nodeQuerystring.parse(text, ';', ':', { maxKeys: 2 }))
  }
  for (const object of [{ a: [1, 'x', null], b: undefined, c: true, d: 1n, e: NaN, f: {}, 'ä b': '&=' }, null, 'text',
    [], { a: [] }]) {
    agree(JSON.stringify(String(object)), () => querystring.stringify(object), () => nodeQuerystring.stringify(object))
    agree(String(object), () => querystring.stringify(object, ';', ':'), () =>
      nodeQuerystring.stringify(object, ';', ':'))
  }
  for (const value of [{ toString: () => 'own' }, 5, undefined, '\ud800']) {
    agree(String(value), () => querystring.escape(value), () => nodeQuerystring.escape(value))
  }
})
