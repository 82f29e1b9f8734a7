/**
 * The tests of the packages that brought Node.js's modules to browsers, run against ours.
 *
 * The packages are fetched by `npm pack`, with their versions and digests pinned here, into `node_modules`,
 * and nothing of theirs but the tests is used. Every assertion is counted by itself; the ones that do not
 * hold for us stand in `EXCLUDED`, each with its reason, and one that holds after all is an error too.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import realAssert from 'node:assert'
import { createTape } from './support/tape.mjs'

const FOLDER = fileURLToPath(new URL('node_modules/.upstream/', import.meta.url))

/** Which files are run: `only` names them, else all below `tests` but `skip`. */
export const PACKAGES = {
  'path-browserify@1.0.1': {
    digest: 'b7uo2UCUOYZcnF/3ID0lulOJi/bafxa1xPe7ZPsammBSpjSWQkjNxlt635YGS2MiR9GjvuXCtz2emr3jbsz98g==',
    module: 'path/posix',
    tests: 'test',
    skip: { 'index.js': 'only loads the others' }
  },
  'events@3.3.0': {
    digest: 'mQw+2fkQbALzQ7V0MY0IqdnXNOeTtP4r0lN9z7AAawCXgqea7bDii20AYrIBrFd/Hx0M2Ocz6S111CaFkUcb0Q==',
    module: 'events',
    tests: 'tests',
    only: ['index.js']
  },
  'buffer@4.9.2': {
    digest: 'xq+q3SRMOxGivLhBNaUdC64hDTQwejJ+H0T/NB1XMtTVEwNTrfFF3gAxiyW0Bu/xWEGhjVKgUcMhCrUy2+uCWg==',
    module: 'buffer',
    tests: 'test',
    skip: { '_polyfill.js': 'not a test: takes typed arrays away' }
  },
  'url@0.11.4': {
    digest: 'oCwdVC7mTuWiPyjLUz/COz5TLk6wgp0RCsN+wHZ2Ekneac9w8uuV0njcbbie2ME+Vs+d6duwmYuR3HgQXs1fOg==',
    module: 'url',
    tests: 'test'
  },
  'querystring-es3@0.2.1': {
    digest: '773xhDQnZBMFobEiztv8LIl70ch5MSF/jUQVlhwFyBILqq96anmoctVIYz+ZRp0qbCKATTn6ev02M3r7Ga5vqA==',
    module: 'querystring',
    tests: 'test',
    only: ['index.js']
  }
}

const NEWER = 'Node.js of today refuses this argument, or says so in other words'
const EMPTY = 'Node.js of today finds an empty needle where the search begins'
const WHATWG = 'malformed UTF-8 becomes as many U+FFFD as the Encoding Standard says, as in Node.js of today'
const PARENT = 'in Node.js `parent` was always the memory'
const LARGE = 'a buffer may have 4 GiB today'
const NODE = 'test/node/test-buffer'

/**
 * What does not hold for us, and why: assertions by their lines, or tests by their titles. `blank` lines are
 * not run at all, since they throw outside of an assertion and would end the file.
 */
export const EXCLUDED = [
  { file: 'url@0.11.4/test/index.js', titles: /^parse\((http:\/\/example\.com|\/example)\)$/,
    reason: '`search` is null without a query, as in Node.js since 12' },
  { file: 'url@0.11.4/test/index.js', titles: /\(file:\/[^/]|,file:\/[^/]/,
    reason: '`file:/a` is written `file:///a`, as in Node.js since 7' },
  { file: 'path-browserify@1.0.1/test/test-path-parse-format.js', lines: [231], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}.js`, blank: [274, 359, 360, 363, 1010], lines: [], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}-alloc.js`, blank: [272, 357, 358, 361, 986], lines: [], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}-arraybuffer.js`, blank: [52, 53, 54, 55], lines: [],
    reason: 'noAssert is gone from Node.js since 10' },
  { file: `buffer@4.9.2/${NODE}-arraybuffer.js`, lines: [20], reason: PARENT },
  { file: `buffer@4.9.2/${NODE}-arraybuffer.js`, lines: [75, 80, 103, 108], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}-bytelength.js`, blank: [11, 12, 13, 14], lines: [], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}-compare-offset.js`, blank: [15, 22, 46, 49, 52, 55],
    lines: [59, 60, 61, 62, 63, 64, 65], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}-concat.js`, lines: [33], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}-fill.js`, blank: /testBufs\(.*, -1[,)]|genBuffer\(.*-1/, lines: [], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}-fill.js`, blank: [141], lines: [], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}.js`, lines: [758], reason: 'wrong hex digits end the bytes, as in Node.js since 8' },
  { file: `buffer@4.9.2/${NODE}-alloc.js`, lines: [1452, 1456, 1462, 1497, 1499], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}.js`, lines: [1478, 1482], reason: NEWER },
  { file: `buffer@4.9.2/${NODE}-alloc.js`, lines: [1441], reason: PARENT },
  { file: `buffer@4.9.2/${NODE}.js`, lines: [1467], reason: PARENT },
  { file: `buffer@4.9.2/${NODE}-alloc.js`, blank: [1066, 1067, 1068, 1357, 1358, 1359, 1361, 1362, 1363], lines: [],
    reason: LARGE },
  { file: `buffer@4.9.2/${NODE}.js`, blank: [1082, 1083, 1084, 1383, 1384, 1385, 1387, 1388, 1389], lines: [],
    reason: LARGE },
  { file: `buffer@4.9.2/${NODE}-includes.js`, lines: [34, 35, 36, 37, 56, 57, 58, 59], reason: EMPTY },
  { file: `buffer@4.9.2/${NODE}-indexof.js`, lines: [34, 35, 36, 37, 56, 57, 58, 59, 383, 384, 385, 386],
    reason: EMPTY },
  { file: `buffer@4.9.2/${NODE}-inspect.js`, lines: [21, 22],
    reason: 'Node.js of today also says how many bytes are left' },
  { file: `buffer@4.9.2/${NODE}-slow.js`, blank: [44, 45, 48, 49, 50, 51], lines: [], reason: NEWER },
  { file: 'buffer@4.9.2/test/to-string.js', lines: [156, 172, 176, 196], reason: WHATWG }
]

/** Fetch a package once, and check that it is the one that is meant. @returns {string} its folder */
export function fetchPackage (name) {
  const folder = path.join(FOLDER, name)
  if (existsSync(folder)) return path.join(folder, 'package')
  mkdirSync(FOLDER, { recursive: true })
  const archive = path.join(FOLDER, execFileSync('npm', ['pack', name, '--silent', '--pack-destination', FOLDER],
    { encoding: 'utf8' }).trim().split('\n').pop())
  const digest = createHash('sha512').update(readFileSync(archive)).digest('base64')
  if (digest !== PACKAGES[name].digest) throw new Error(`${name} is not the package that was pinned: sha512-${digest}`)
  mkdirSync(folder)
  execFileSync('tar', ['xzf', archive, '-C', folder], { stdio: ['ignore', 'ignore', 'ignore'] })
  rmSync(archive)
  return path.join(folder, 'package')
}

/** The test files of a package, relative to it. */
export function testFiles (name, folder) {
  const { tests, only, skip = {} } = PACKAGES[name]
  const all = only ?? readdirSync(path.join(folder, tests), { recursive: true }).filter((file) => file.endsWith('.js'))
  return all.filter((file) => !(file in skip)).map((file) => path.posix.join(tests, file.replaceAll('\\', '/'))).sort()
}

/**
 * Run one file.
 * @param {object} ours the module that takes the package's place
 * @returns {Promise<{checks: number, failures: Map<string, string>}>} failures by `file:line`
 */
export async function runFile (name, folder, file, ours) {
  const failures = new Map()
  let checks = 0
  let title = null // of the mocha test that runs
  const report = (check, thrown = () => {}) => {
    checks++
    try {
      return check()
    } catch (error) {
      const place = title ?? placeOf(error, folder)
      if (!failures.has(place)) failures.set(place, error.message)
      thrown()
    }
  }
  const tape = createTape(report)
  const replaced = {
    assert: counting(report),
    tape: tape.test,
    mocha: {
      test (name, body) {
        title = name
        report(body)
        title = null
      }
    },
    'functions-have-names': () => true,
    'has-symbols': () => true,
    has: (object, key) => Object.hasOwn(object, key),
    'is-nan': Number.isNaN,
    'is-buffer': ours.Buffer?.isBuffer,
    test: {},
    retape: () => {}
  }
  const loaded = new Map()
  const real = createRequire(path.join(folder, 'package.json'))

  const loadFile = (full) => {
    if (loaded.has(full)) return loaded.get(full).exports
    const module = { exports: {} }
    loaded.set(full, module)
    const require = (wanted) => {
      if (wanted in replaced) return replaced[wanted]
      if (!wanted.startsWith('.')) return real(`node:${wanted}`)
      const target = path.resolve(path.dirname(full), wanted)
      const isPackage = target === folder || target === path.join(folder, 'url') || target === path.join(folder,
        'index')
      return isPackage ? ours : loadFile(target.endsWith('.js') ? target : `${target}.js`)
    }
    const names = ['require', 'module', 'exports', '__filename', '__dirname', 'Buffer', 'process']
    const values = [require, module, module.exports, full, path.dirname(full), ours.Buffer, fakeProcess]
    vm.compileFunction(source(full, `${name}/${path.relative(folder, full)}`), names,
      { filename: full }).apply(module.exports, values)
    return module.exports
  }

  const { process: fakeProcess, end } = processOf(report)
  report(() => {
    const exported = loadFile(path.join(folder, file))
    if (PACKAGES[name].module === 'querystring') runExported(exported, replaced.assert)
  })
  await tape.run()
  end()
  return { checks, failures }
}

/** The file's text, without the lines that are not run. */
function source (full, file) {
  const lines = readFileSync(full, 'utf8').split('\n')
  for (const { blank = [] } of EXCLUDED.filter((entry) => entry.file === file)) {
    if (blank instanceof RegExp) lines.forEach((line, i) => { if (blank.test(line)) lines[i] = '' })
    else for (const line of blank) lines[line - 1] = ''
  }
  return lines.join('\n')
}

/** `exports['test ...'] = function (assert)`. */
function runExported (exported, assert) {
  for (const test of Object.values(exported)) test(assert)
}

/** `process`, of which the tests listen for the end. */
function processOf (report) {
  const listeners = []
  const add = (name, listener) => { if (name === 'exit') listeners.push(listener) }
  return {
    process: Object.assign(Object.create(process), { on: add, once: add, emitWarning () {} }),
    end: () => { for (const listener of listeners) report(() => listener(0)) }
  }
}

/** Node.js's assert, of which no assertion ends the file. */
function counting (report) {
  const counted = (...values) => report(() => realAssert(...values))
  for (const key of Object.keys(realAssert)) {
    const method = realAssert[key]
    counted[key] = typeof method === 'function' && /^[a-z]/.test(key)
      ? (...values) => report(() => method(...values))
      : method
  }
  return counted
}

function placeOf (error, folder) {
  const stack = String(error.stack)
  const at = stack.indexOf(folder)
  if (at === -1) return stack.split('\n')[0]
  return /^[^:)]+:\d+/.exec(stack.slice(at + folder.length + 1))[0]
}
