/**
 * Where `needle` lies in `bytes`, or -1.
 * @param {Uint8Array} bytes
 * @param {Uint8Array} needle
 * @param {number} from the first (or last, backwards) position that counts; integer, may be out of bounds
 * @param {number} step units of the encoding: 2 for UTF-16, else 1
 * @param {boolean} forward
 */
export function search (bytes, needle, from, step, forward) {
  const unit = ~(step - 1) // UTF-16 is searched at even positions alone
  needle = needle.subarray(0, needle.length & unit)
  const last = (bytes.length & unit) - needle.length
  if (last < 0 || needle.length < step) return -1
  from = Math.max(-1, Math.min(from, bytes.length)) & unit
  return forward ? ahead(bytes, needle, Math.max(from, 0), last, step) : back(bytes, needle, Math.min(from, last), step)
}

function ahead (bytes, needle, from, last, step) {
  const first = needle[0]
  for (let at = from; at <= last; at += step) {
    if (step === 1) {
      at = Uint8Array.prototype.indexOf.call(bytes, first, at)
      if (at === -1 || at > last) return -1
    }
    if (matches(bytes, needle, at)) return at
  }
  return -1
}

function back (bytes, needle, from, step) {
  for (let at = from; at >= 0; at -= step) {
    if (matches(bytes, needle, at)) return at
  }
  return -1
}

function matches (bytes, needle, at) {
  for (let i = 0; i < needle.length; i++) {
    if (bytes[at + i] !== needle[i]) return false
  }
  return true
}
