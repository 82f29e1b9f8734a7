declare module 'socket:process' {
  import type { EventEmitter } from 'socket:events'

  /** What `socket.ini` hands to pages; after `load`, what its grant `process.env` names. */
  export type Environment = Record<string, string | undefined> & {
    load (): Promise<Environment>
    get (name: string): Promise<string | undefined>
  }

  export interface HighResolutionTime {
    (earlier?: [number, number]): [seconds: number, nanoseconds: number]
    bigint (): bigint
  }

  export interface MemoryUsage {
    /** Bytes. */
    rss: number
    maxRSS?: number
  }

  export interface Process extends EventEmitter<{ beforeExit: [code: number], exit: [code: number] }> {
    readonly arch: string
    readonly argv: string[]
    readonly env: Environment
    readonly pid: number | undefined
    readonly platform: string
    readonly version: string
    readonly versions: Readonly<Record<string, string | undefined>>
    exitCode: number | undefined
    cwd: typeof cwd
    exit: typeof exit
    hrtime: HighResolutionTime
    memoryUsage: typeof memoryUsage
    nextTick: typeof nextTick
    uptime: typeof uptime
  }

  export const arch: string
  export const argv: string[]
  export const env: Environment
  export const pid: number | undefined
  export const platform: string
  export const version: string
  export const versions: Readonly<Record<string, string | undefined>>
  export const hrtime: HighResolutionTime
  /** The folder that relative paths of `path.resolve` start from. */
  export function cwd (): string
  /** End the app. */
  export function exit (code?: number): Promise<void>
  export function memoryUsage (): Promise<MemoryUsage>
  export function nextTick<A extends any[]> (callback: (...args: A) => void, ...args: A): void
  /** Seconds since this page started. */
  export function uptime (): number

  const process: Process
  export default process
}
