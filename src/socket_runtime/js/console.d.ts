declare module 'socket:console' {
  import type { InspectOptions } from 'socket:util'

  export interface ConsoleOptions {
    /** Where the text goes: the page's console unless it says otherwise. */
    target?: Partial<Pick<globalThis.Console, 'log' | 'debug' | 'info' | 'warn' | 'error' | 'clear'>>
    inspectOptions?: InspectOptions
    groupIndentation?: number
  }

  /** A console that counts, times and indents for itself. */
  export class Console {
    constructor (options?: ConsoleOptions)
    groupIndentation: number
    assert (condition: unknown, ...values: unknown[]): void
    clear (): void
    count (label?: string): void
    countReset (label?: string): void
    debug (...values: unknown[]): void
    dir (value: unknown, options?: InspectOptions): void
    dirxml (...values: unknown[]): void
    error (...values: unknown[]): void
    group (...label: unknown[]): void
    groupCollapsed (...label: unknown[]): void
    groupEnd (): void
    info (...values: unknown[]): void
    log (...values: unknown[]): void
    table (data: unknown, columns?: string[]): void
    time (label?: string): void
    timeEnd (label?: string): void
    timeLog (label?: string, ...values: unknown[]): void
    trace (...values: unknown[]): void
    warn (...values: unknown[]): void
  }

  export const assert: globalThis.Console['assert']
  export const clear: globalThis.Console['clear']
  export const count: globalThis.Console['count']
  export const countReset: globalThis.Console['countReset']
  export const debug: globalThis.Console['debug']
  export const dir: globalThis.Console['dir']
  export const dirxml: globalThis.Console['dirxml']
  export const error: globalThis.Console['error']
  export const group: globalThis.Console['group']
  export const groupCollapsed: globalThis.Console['groupCollapsed']
  export const groupEnd: globalThis.Console['groupEnd']
  export const info: globalThis.Console['info']
  export const log: globalThis.Console['log']
  export const table: globalThis.Console['table']
  export const time: globalThis.Console['time']
  export const timeEnd: globalThis.Console['timeEnd']
  export const timeLog: globalThis.Console['timeLog']
  export const trace: globalThis.Console['trace']
  export const warn: globalThis.Console['warn']

  const console: globalThis.Console
  export default console
}
