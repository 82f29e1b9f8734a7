import { uncolored } from './_text.js'

const GROUPED_FROM = 7 // entries: shorter arrays stand in one line or one below the other
const MAX_COLUMNS = 15
const CHAR_HEIGHT = 2.5 // a character's height in widths: columns are chosen so that a square results
const GAP = 2 // ', '

const width = (text) => uncolored(text).length

/**
 * The parts of an object as one text.
 * @param {string[]} parts
 * @param {object} place
 * @param {string} place.base what stands before the braces
 * @param {[string, string]} place.braces
 * @param {any[] | null} place.array the array whose entries the parts are
 * @param {number} place.nesting how many levels of objects the parts hold
 * @param {number} place.indentation columns
 * @param {{compact: number | boolean, breakLength: number, maxArrayLength: number}} options
 */
export function layOut (parts, place, options) {
  const { base, braces: [open, close], array, nesting, indentation } = place
  const { compact, breakLength } = options
  const before = base ? `${base} ` : ''
  if (compact === true) return compactly(parts, place, breakLength)
  let rows = parts
  if (compact >= 1) {
    if (array && parts.length >= GROUPED_FROM) rows = grouped(parts, array, indentation, options)
    if (nesting < compact && rows.length === parts.length) {
      const start = parts.length + indentation + open.length + base.length + 10
      const line = parts.join(', ')
      if (fits(parts, start, base, breakLength) && !line.includes('\n')) return `${before}${open} ${line} ${close}`
    }
  }
  const newLine = `\n${' '.repeat(indentation)}`
  return `${before}${open}${newLine}  ${rows.join(`,${newLine}  `)}${newLine}${close}`
}

function compactly (parts, { base, braces: [open, close], indentation }, breakLength) {
  const after = base ? ` ${base}` : ''
  if (fits(parts, 0, base, breakLength)) return `${open}${after} ${parts.join(', ')} ${close}`
  const space = ' '.repeat(indentation)
  const first = base === '' && open.length === 1 ? ' ' : `${after}\n${space}  `
  return `${open}${first}${parts.join(`,\n${space}  `)} ${close}`
}

function fits (parts, start, base, breakLength) {
  let total = parts.length + start
  if (total + parts.length > breakLength) return false
  for (const part of parts) total += width(part)
  return total <= breakLength && !base.includes('\n')
}

/** Short entries of a long array, several in a row. */
function grouped (parts, array, indentation, { compact, breakLength, maxArrayLength }) {
  const more = parts.length > maxArrayLength ? parts.slice(-1) : [] // '... 3 more items'
  const entries = more.length ? parts.slice(0, -1) : parts
  const widths = entries.map(width)
  const widest = Math.max(...widths) + GAP
  const total = widths.reduce((sum, one) => sum + one + GAP, 0)
  if (widest * 3 + indentation >= breakLength || (total / widest <= 5 && widest - GAP > 6)) return parts
  const bias = Math.max(widest - 3 - Math.sqrt(widest - total / parts.length), 1)
  const columns = Math.min(
    Math.round(Math.sqrt(CHAR_HEIGHT * bias * entries.length) / bias),
    Math.floor((breakLength - indentation) / widest),
    compact * 4,
    MAX_COLUMNS
  )
  if (columns <= 1) return parts
  const isNumber = (value) => typeof value === 'number' || typeof value === 'bigint'
  const numeric = array.length > 0 && parts.every((_, i) => isNumber(array[i]))
  return [...inRows(entries, widths, columns, numeric), ...more]
}

function inRows (entries, widths, columns, numeric) {
  const columnWidths = Array.from({ length: columns }, (_, column) =>
    Math.max(...widths.filter((_, i) => i % columns === column)) + GAP)
  const rows = []
  for (let at = 0; at < entries.length; at += columns) {
    const last = Math.min(at + columns, entries.length) - 1
    let row = ''
    for (let i = at; i <= last; i++) {
      const text = i < last ? `${entries[i]}, ` : entries[i]
      const room = columnWidths[i - at] + entries[i].length - widths[i] - (i < last ? 0 : GAP)
      if (numeric) row += text.padStart(room)
      else row += i < last ? text.padEnd(room) : text
    }
    rows.push(row)
  }
  return rows
}
