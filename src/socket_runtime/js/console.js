/**
 * The page's console, which the runtime also writes to the terminal, and a class for further ones that count,
 * time and indent for themselves.
 */
import { formatWithOptions, inspect } from './util/_inspect.js'

const global = globalThis.console

/** Writes formatted text to another console, the page's unless it says otherwise. */
export class Console {
  #target
  #options
  #counts = new Map()
  #timers = new Map()
  #indentation = ''

  /** @param {{target?: object, inspectOptions?: object, groupIndentation?: number}} [options] */
  constructor ({ target = global, inspectOptions = {}, groupIndentation = 2 } = {}) {
    this.#target = target
    this.#options = inspectOptions
    this.groupIndentation = groupIndentation
    for (const name of METHODS) this[name] = this[name].bind(this) // so that they can be passed around
  }

  #write (level, values) {
    const text = formatWithOptions(this.#options, ...values)
    const indentation = this.#indentation
    this.#target[level](indentation ? indentation + text.replaceAll('\n', `\n${indentation}`) : text)
  }

  assert (condition, ...values) {
    if (condition) return
    if (typeof values[0] === 'string') values[0] = `Assertion failed: ${values[0]}`
    else values.unshift('Assertion failed')
    this.#write('error', values)
  }

  clear () {
    this.#target.clear?.()
  }

  count (label = 'default') {
    const count = (this.#counts.get(label) ?? 0) + 1
    this.#counts.set(label, count)
    this.#write('log', [`${label}: ${count}`])
  }

  countReset (label = 'default') {
    this.#counts.delete(label)
  }

  debug (...values) {
    this.#write('debug', values)
  }

  dir (value, options) {
    this.#write('log', [inspect(value, { ...this.#options, customInspect: false, ...options })])
  }

  dirxml (...values) {
    this.#write('log', values)
  }

  error (...values) {
    this.#write('error', values)
  }

  group (...label) {
    if (label.length) this.#write('log', label)
    this.#indentation += ' '.repeat(this.groupIndentation)
  }

  groupCollapsed (...label) {
    this.group(...label)
  }

  groupEnd () {
    this.#indentation = this.#indentation.slice(this.groupIndentation)
  }

  info (...values) {
    this.#write('info', values)
  }

  log (...values) {
    this.#write('log', values)
  }

  /** Rows of an array or object, with their fields as columns. */
  table (data, columns) {
    if (typeof data !== 'object' || data === null) return this.log(data)
    const rows = Object.entries(data)
    const isRow = (row) => typeof row === 'object' && row !== null
    const names = columns ?? [...new Set(rows.flatMap(([, row]) => isRow(row) ? Object.keys(row) : []))]
    const plain = rows.some(([, row]) => !isRow(row))
    const header = ['(index)', ...names, ...(plain ? ['Values'] : [])]
    const show = (value) => inspect(value, { ...this.#options, depth: 0, maxArrayLength: 3, breakLength: Infinity })
    const lines = rows.map(([index, row]) => [
      index,
      ...names.map((name) => isRow(row) && Object.hasOwn(row, name) ? show(row[name]) : ''),
      ...(plain ? [isRow(row) ? '' : show(row)] : [])
    ])
    this.#write('log', ['%s', drawn(header, lines)])
  }

  time (label = 'default') {
    this.#timers.set(label, performance.now())
  }

  timeEnd (label = 'default') {
    this.timeLog(label)
    this.#timers.delete(label)
  }

  timeLog (label = 'default', ...values) {
    const start = this.#timers.get(label)
    if (start === undefined) return this.#write('warn', [`No such label '${label}' for console.timeLog()`])
    this.#write('log', [`${label}: ${(performance.now() - start).toFixed(3)}ms`, ...values])
  }

  trace (...values) {
    const stack = new Error('').stack ?? ''
    this.#write('error', [`Trace: ${formatWithOptions(this.#options, ...values)}\n${stack}`])
  }

  warn (...values) {
    this.#write('warn', values)
  }
}

const METHODS = Object.getOwnPropertyNames(Console.prototype).filter((name) => name !== 'constructor')

function drawn (header, lines) {
  const widths = header.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i].length)) + 2)
  const row = (cells) => `│${cells.map((cell, i) => ` ${cell}`.padEnd(widths[i])).join('│')}│`
  const rule = (left, middle, right) => left + widths.map((width) => '─'.repeat(width)).join(middle) + right
  const head = [rule('┌', '┬', '┐'), row(header), rule('├', '┼', '┤')]
  return [...head, ...lines.map(row), rule('└', '┴', '┘')].join('\n')
}

const bound = (name) => global[name].bind(global)

export const assert = bound('assert')
export const clear = bound('clear')
export const count = bound('count')
export const countReset = bound('countReset')
export const debug = bound('debug')
export const dir = bound('dir')
export const dirxml = bound('dirxml')
export const error = bound('error')
export const group = bound('group')
export const groupCollapsed = bound('groupCollapsed')
export const groupEnd = bound('groupEnd')
export const info = bound('info')
export const log = bound('log')
export const table = bound('table')
export const time = bound('time')
export const timeEnd = bound('timeEnd')
export const timeLog = bound('timeLog')
export const trace = bound('trace')
export const warn = bound('warn')

export default global
