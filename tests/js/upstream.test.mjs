import './support/globals.mjs'
import test from 'node:test'
import assert from 'node:assert/strict'
import { load } from './support/modules.mjs'
import { EXCLUDED, PACKAGES, fetchPackage, runFile, testFiles } from './upstream.mjs'

const isExcluded = (entry, place) => entry.titles?.test(place) ?? entry.lines.some((line) => place.endsWith(`:${line}`))

for (const name of Object.keys(PACKAGES)) {
  test(name, async (t) => {
    let folder
    try {
      folder = fetchPackage(name)
    } catch (error) {
      if (error.status === undefined) throw error // npm failed: no network
      return t.skip(`npm could not fetch it: ${error.message}`)
    }
    const { default: ours } = await load(PACKAGES[name].module)
    for (const file of testFiles(name, folder)) {
      await t.test(file, async () => {
        const { checks, failures } = await runFile(name, folder, file, ours)
        assert.ok(checks > 0, 'it checked something')
        const entries = EXCLUDED.filter((entry) => entry.file === `${name}/${file}`)
        const unknown = [...failures].filter(([place]) => !entries.some((entry) => isExcluded(entry, place)))
        assert.deepEqual(unknown, [])
        for (const entry of entries) {
          if (entry.blank) continue
          assert.ok([...failures.keys()].some((place) => isExcluded(entry, place)), `holds after all: ${entry.reason}`)
        }
      })
    }
  })
}
