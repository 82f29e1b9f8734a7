import './support/globals.mjs'
import test from 'node:test'
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { NAMES, ROOT, load } from './support/modules.mjs'

const index = fileURLToPath(new URL('index.d.ts', ROOT))
const typescript = compiler()

function compiler () {
  try {
    return createRequire(import.meta.url)('typescript')
  } catch {
    return null
  }
}

/** What the typings declare: module -> names of values, and the names of its default's parts. */
function declared () {
  const { TypeFlags, SymbolFlags, createProgram, ScriptTarget, ModuleKind } = typescript
  const program = createProgram([index], { target: ScriptTarget.ES2022, module: ModuleKind.ESNext, strict: true,
    types: [] })
  const checker = program.getTypeChecker()
  const isValue = (symbol) => {
    const real = symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    return (real.flags & SymbolFlags.Value) !== 0
  }
  return new Map(checker.getAmbientModules().map((module) => {
    const exported = checker.getExportsOfModule(module).filter(isValue)
    const main = exported.find((symbol) => symbol.name === 'default')
    const type = main && checker.getTypeOfSymbol(main)
    const isObject = type && (type.flags & TypeFlags.Object || type.isIntersection?.())
    const parts = isObject && !type.getConstructSignatures().length
      ? type.getProperties().map((symbol) => symbol.name)
      : null
    return [module.name.slice(1, -1), { names: exported.map((symbol) => symbol.name).sort(),
      parts: parts?.sort() ?? null }]
  }))
}

test('every module has its typings beside it, and the index names them all', () => {
  const text = readFileSync(index, 'utf8')
  for (const name of NAMES) {
    assert.ok(existsSync(new URL(`${name}.d.ts`, ROOT)), `${name}.d.ts`)
    assert.ok(text.includes(`/// <reference path="./${name}.d.ts" />`), `index.d.ts does not name ${name}`)
    assert.ok(readFileSync(new URL(`${name}.d.ts`, ROOT), 'utf8').includes(`declare module 'socket:${name}' {`), name)
  }
})

test('modules export what their typings say, and no more',
  { skip: !typescript && 'typescript is not installed: npm install' }, async (t) => {
  const typings = declared()
  for (const name of NAMES) {
    await t.test(name, async () => {
      const module = await load(name)
      const { names, parts } = typings.get(`socket:${name}`)
      assert.deepEqual(Object.keys(module).sort(), names)
      // the parts of a plain object; classes, the console and emitters have their own typings
      const main = module.default
      const plain = parts && main && Object.getPrototypeOf(main) === Object.prototype && main !== console
      if (plain) assert.deepEqual(Object.keys(main).sort(), parts)
    })
  }
})
