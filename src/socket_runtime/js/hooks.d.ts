declare module 'socket:hooks' {
  /** Takes the hook back. */
  export type Stop = () => void

  /** The next event of the page, as a promise. */
  export function wait (event: string, options?: { signal?: AbortSignal }): Promise<Event>
  /** The document is there. */
  export function onInit (callback: () => void): Stop
  /** The document is there, and modules can be used. */
  export function onReady (callback: () => void): Stop
  /** The document and all that it loads are there. */
  export function onLoad (callback: () => void): Stop
  export function onError (callback: (event: ErrorEvent) => void): Stop
  export function onData (callback: (event: CustomEvent) => void): Stop
  export function onMessage (callback: (event: CustomEvent | MessageEvent) => void): Stop
  export function onOnline (callback: (event: Event) => void): Stop
  export function onOffline (callback: (event: Event) => void): Stop
  export function onLanguageChange (callback: (event: Event) => void): Stop
  export function onPermissionChange (callback: (event: CustomEvent) => void): Stop
  export function onApplicationURL (callback: (event: CustomEvent) => void): Stop
  export function onApplicationPause (callback: (event: CustomEvent) => void): Stop
  export function onApplicationResume (callback: (event: CustomEvent) => void): Stop

  const hooks: Omit<typeof import('socket:hooks'), 'default'>
  export default hooks
}
