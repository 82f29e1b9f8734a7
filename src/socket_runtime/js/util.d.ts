declare module 'socket:util' {
  import * as types from 'socket:util/types'

  export interface InspectOptions {
    /** Columns of a line; 80 unless it says otherwise. */
    breakLength?: number
    colors?: boolean
    compact?: boolean | number
    customInspect?: boolean
    /** Levels of objects within objects; 2 unless it says otherwise, `null` for all. */
    depth?: number | null
    getters?: boolean | 'get' | 'set'
    maxArrayLength?: number | null
    maxStringLength?: number | null
    numericSeparator?: boolean
    showHidden?: boolean
    sorted?: boolean | ((a: string, b: string) => number)
  }

  type Callback<R extends any[] = any[]> = (error: any, ...values: R) => void

  export interface Inspect {
    (value: unknown, options?: InspectOptions): string
    (value: unknown, showHidden: boolean, depth?: number | null, colors?: boolean): string
    /** The name of a method that says how its object is shown. */
    readonly custom: unique symbol
    defaultOptions: InspectOptions
  }

  export interface Promisify {
    <A extends any[], R> (original: (...args: [...A, (error: any, value: R) => void]) => void): (...args: A) =>
      Promise<R>
    <A extends any[]> (original: (...args: [...A, (error?: any) => void]) => void): (...args: A) => Promise<void>
    (original: Function): (...args: any[]) => Promise<any>
    readonly custom: unique symbol
  }

  export interface DebugLog {
    (...values: unknown[]): void
    readonly enabled: boolean
  }

  export { types }
  export const inspect: Inspect
  export const promisify: Promisify
  export function callbackify<A extends any[], R> (
    original: (...args: A) => Promise<R>
  ): (...args: [...A, (error: any, value: R) => void]) => void
  export function format (...values: unknown[]): string
  export function formatWithOptions (options: InspectOptions, ...values: unknown[]): string
  /** @deprecated use `class ... extends` */
  export function inherits (constructor: Function, superConstructor: Function): void
  export function deprecate<F extends Function> (fn: F, message: string, code?: string): F
  export function debuglog (section: string, told?: (log: DebugLog) => void): DebugLog
  export function isDeepStrictEqual (a: unknown, b: unknown): boolean
  export const isArray: typeof Array.isArray
  /** Without the codes that color a terminal. */
  export function stripVTControlCharacters (text: string): string
  export function toUSVString (text: string): string
  export const TextDecoder: typeof globalThis.TextDecoder
  export const TextEncoder: typeof globalThis.TextEncoder

  const util: Omit<typeof import('socket:util'), 'default'>
  export default util
}
