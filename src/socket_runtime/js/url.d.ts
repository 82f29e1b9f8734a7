declare module 'socket:url' {
  import type { ParsedQuery } from 'socket:querystring'

  export const URL: typeof globalThis.URL
  export const URLSearchParams: typeof globalThis.URLSearchParams

  export interface UrlObject {
    protocol?: string | null
    slashes?: boolean | null
    auth?: string | null
    host?: string | null
    port?: string | number | null
    hostname?: string | null
    hash?: string | null
    search?: string | null
    query?: string | object | null
    pathname?: string | null
  }

  export interface FormatOptions {
    auth?: boolean
    fragment?: boolean
    search?: boolean
  }

  export interface PathOptions {
    /** This system's kind of path unless it says otherwise. */
    windows?: boolean
  }

  export interface HttpOptions {
    protocol: string
    hostname: string
    hash: string
    search: string
    pathname: string
    path: string
    href: string
    port?: number
    auth?: string
  }

  /** The parts of a URL, as Node.js had them before the web's `URL`. Read leniently: never decide by them. */
  export class Url<Query = string | ParsedQuery | null> {
    protocol: string | null
    slashes: boolean | null
    auth: string | null
    host: string | null
    port: string | null
    hostname: string | null
    hash: string | null
    search: string | null
    query: Query
    pathname: string | null
    path: string | null
    href: string
    parse (url: string, parseQueryString?: boolean, slashesDenoteHost?: boolean): this
    format (): string
    resolve (relative: string): string
    resolveObject (relative: string | Url<any>): Url
  }

  export function parse (url: string, parseQueryString?: false, slashesDenoteHost?: boolean): Url<string | null>
  export function parse (url: string, parseQueryString: true, slashesDenoteHost?: boolean): Url<ParsedQuery>
  export function parse (url: string, parseQueryString?: boolean, slashesDenoteHost?: boolean): Url
  export function format (url: string | URL | UrlObject, options?: FormatOptions): string
  export function resolve (from: string, to: string): string
  export function resolveObject (from: string | Url<any>, to: string | Url<any>): Url
  export function domainToASCII (domain: string): string
  export function fileURLToPath (url: string | URL, options?: PathOptions): string
  export function pathToFileURL (path: string, options?: PathOptions): URL
  export function urlToHttpOptions (url: URL): HttpOptions

  const url: Omit<typeof import('socket:url'), 'default'>
  export default url
}
