/** Where the modules are, and which of them apps import. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = new URL('../../../src/socket_runtime/js/', import.meta.url)

/** All that `socket:<name>` names: every file but the private ones and the preload. */
export const NAMES = readdirSync(fileURLToPath(ROOT), { recursive: true })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.js') && path !== 'preload.js' && !path.split('/').pop().startsWith('_'))
  .map((path) => path.slice(0, -3))
  .sort()

let copies = 0

/** A module of ours; `fresh` for a copy that has its own state. */
export function load (name, { fresh = false } = {}) {
  return import(new URL(`${name}.js${fresh ? `?${++copies}` : ''}`, ROOT).href)
}
