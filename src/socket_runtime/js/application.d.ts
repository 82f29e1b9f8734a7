declare module 'socket:application' {
  import type { ApplicationWindow, Size } from 'socket:window'

  export interface ApplicationConfig {
    readonly index?: number
    readonly origin?: string
    readonly name?: string
    readonly title?: string
    readonly version?: string
    readonly bundleIdentifier?: string
    readonly debug?: boolean
    readonly platform?: string
    readonly arch?: string
    readonly runtimeVersion?: string
    readonly pythonVersion?: string
    readonly [key: string]: unknown
  }

  export interface CreateWindowOptions {
    /** A page of the app. */
    url?: string
    /** The original's name for `url`. */
    path?: string
    title?: string
    width?: number
    height?: number
    resizable?: boolean
    frameless?: boolean
    hidden?: boolean
  }

  export const MAX_WINDOWS: 64
  export const config: ApplicationConfig
  export const debug: boolean
  export const runtimeVersion: string
  /** Open another window of the app. */
  export function createWindow (options?: CreateWindowOptions): Promise<ApplicationWindow>
  export function getCurrentWindow (): ApplicationWindow
  export function getCurrentWindowIndex (): number
  /** The open windows, by their numbers. */
  export function getWindows (): Promise<Map<number, ApplicationWindow>>
  export function getWindow (index: number): Promise<ApplicationWindow | null>
  export function getScreenSize (): Promise<Size>
  export function exit (code?: number): Promise<void>

  const application: Omit<typeof import('socket:application'), 'default'>
  export default application
}
