declare module 'socket:querystring' {
  export type ParsedQuery = Record<string, string | string[] | undefined>

  export interface ParseOptions {
    /** 1000 unless it says otherwise; 0 for all. */
    maxKeys?: number
    decodeURIComponent?: (text: string) => string
  }

  export interface StringifyOptions {
    encodeURIComponent?: (text: string) => string
  }

  export function parse (
    text: string, separator?: string | null, equals?: string | null, options?: ParseOptions
  ): ParsedQuery
  export function stringify (
    object: object | null | undefined, separator?: string | null, equals?: string | null, options?: StringifyOptions
  ): string
  export function escape (text: unknown): string
  export function unescape (text: string): string
  export function unescapeBuffer (text: string): Uint8Array
  export { parse as decode, stringify as encode }

  const querystring: Omit<typeof import('socket:querystring'), 'default'>
  export default querystring
}
