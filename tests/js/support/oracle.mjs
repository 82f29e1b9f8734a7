/** Compares what two implementations make of the same call: the value, or the class and code of the error. */
import assert from 'node:assert/strict'

export function outcome (run) {
  try {
    return { value: plain(run()) }
  } catch (error) {
    return { error: `${error.name} ${error.code ?? ''}`.trim() }
  }
}

function plain (value) {
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  return Array.isArray(value) ? value.map(plain) : value
}

/** @param {string} label what is compared; tells how to repeat a failure */
export function agree (label, ours, theirs) {
  assert.deepEqual(outcome(ours), outcome(theirs), label)
}
