import { find } from '../buffer/_encodings.js'
import { invalid } from './_path.js'

/** `'utf8'`, `{ encoding: 'utf8' }` or nothing, as an object. */
export function optionsOf (options) {
  if (options === undefined || options === null) return {}
  const given = typeof options === 'string' ? { encoding: options } : options
  const { encoding } = given
  if (encoding && encoding !== 'buffer' && !find(encoding)) throw invalid('encoding', `is unknown: '${encoding}'`)
  if (given.bigint) throw invalid('bigint', 'is not offered: the host tells plain numbers')
  return given
}

/** A file's rights: a number, or octal text. */
export function modeOf (mode, name = 'mode') {
  if (mode === undefined || mode === null) return undefined
  const number = typeof mode === 'string' && /^[0-7]+$/.test(mode) ? parseInt(mode, 8) : mode
  if (Number.isInteger(number) && number >= 0) return number
  throw invalid(name, 'must be a number or octal text')
}

/** A flag by its name; the numbers of the flags differ between systems. */
export function flagOf (flag, otherwise) {
  if (flag === undefined || flag === null) return otherwise
  if (typeof flag === 'string') return flag
  throw invalid('flags', "must be a name such as 'r+'")
}

/** Seconds since 1970, of a Date, a number of seconds or text. */
export function secondsOf (time, name) {
  const seconds = time instanceof Date ? time.getTime() / 1000 : Number(time)
  if (Number.isFinite(seconds)) return seconds
  throw invalid(name, 'must be a time')
}
