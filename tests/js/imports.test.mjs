import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { NAMES, ROOT } from './support/modules.mjs'

const folder = fileURLToPath(ROOT)
const FILES = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.js') && file !== 'preload.js')
const MAX_LINES = 600
const MAX_WIDTH = 120

const text = (file) => readFileSync(path.join(folder, file), 'utf8')
const code = (file) => text(file).replace(/\/\*\*[^]*?\*\//g, '')
const importsOf = (file) =>
  [...code(file).matchAll(/^(?:import|export)[^'"]*?from '([^']+)'|^import '([^']+)'/gm)].map(([, a, b]) => a ?? b)

/** All files that importing one brings. */
function closure (file, seen = new Set()) {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const target of importsOf(file)) closure(path.join(path.dirname(file), target), seen)
  return seen
}

test('modules import each other by relative paths alone, and nothing else', () => {
  for (const file of FILES) {
    for (const target of importsOf(file)) {
      assert.match(target, /^\.\.?\/.*\.js$/, `${file}: ${target}`)
      const full = path.join(path.dirname(file), target)
      assert.ok(FILES.includes(full), `${file}: ${full} is not there`)
    }
    assert.doesNotMatch(code(file), /\bimport\(|\beval\(|new Function|require\(/, file)
  }
})

test('every imported name is used', () => {
  for (const file of FILES) {
    for (const [, list] of text(file).matchAll(/^import \{([^}]+)\} from/gm)) {
      for (const item of list.split(',')) {
        const name = item.trim().split(/\s+as\s+/).pop()
        const uses = text(file).match(new RegExp(`(?<![\\w.$])${name}(?![\\w$])`, 'g')) ?? []
        assert.ok(uses.length > 1, `${file}: ${name} is not used`)
      }
    }
  }
})

test('a module brings no more than it needs', () => {
  const brings = (name) => [...closure(`${name}.js`)].sort()
  assert.deepEqual(brings('path'), ['_runtime.js', 'path.js', 'path/_common.js', 'path/posix.js', 'path/win32.js'])
  for (const name of ['path', 'events', 'buffer', 'url', 'util', 'console', 'querystring', 'string_decoder', 'hooks',
    'errors']) {
    assert.ok(!brings(name).some((file) => file.startsWith('ipc')), `${name} brings ipc`)
  }
  assert.ok(!brings('ipc').some((file) => /^(fs|buffer|events|util)/.test(file)))
  assert.ok(!brings('window').some((file) => /^(fs|buffer|util)/.test(file)))
})

test('files are small', () => {
  for (const file of FILES) {
    const lines = text(file).split('\n')
    assert.ok(lines.length <= MAX_LINES, `${file}: ${lines.length} lines`)
    for (const [i, line] of lines.entries()) assert.ok(line.length <= MAX_WIDTH,
      `${file}:${i + 1}: ${line.length} columns`)
  }
})

test('names are such that the host serves them', () => {
  for (const name of NAMES) assert.match(name, /^[a-z][a-z0-9_-]*(\/[a-z][a-z0-9_-]*)*$/)
})
