declare module 'socket:events' {
  /** Event names and the values that come with them: `{ data: [piece: string], end: [] }`. */
  export type EventMap = Record<string | symbol, any[]>
  export type EventName = string | symbol
  export type Listener = (...values: any[]) => void

  export interface OnceOptions {
    signal?: AbortSignal
  }

  export interface OnOptions extends OnceOptions {
    /** Events that end the iteration. */
    close?: string[]
  }

  type Known<M> = Extract<keyof M, EventName>
  type Values<M, K> = K extends keyof M ? M[K] extends any[] ? M[K] : any[] : any[]

  export class EventEmitter<M extends { [K in keyof M]: any[] } = EventMap> {
    static defaultMaxListeners: number
    static readonly errorMonitor: typeof errorMonitor
    static readonly EventEmitter: typeof EventEmitter
    static getEventListeners: typeof getEventListeners
    static listenerCount: typeof listenerCount
    static on: typeof on
    static once: typeof once
    static setMaxListeners: typeof setMaxListeners

    addListener<K extends Known<M>> (event: K, listener: (...values: Values<M, K>) => void): this
    on<K extends Known<M>> (event: K, listener: (...values: Values<M, K>) => void): this
    once<K extends Known<M>> (event: K, listener: (...values: Values<M, K>) => void): this
    prependListener<K extends Known<M>> (event: K, listener: (...values: Values<M, K>) => void): this
    prependOnceListener<K extends Known<M>> (event: K, listener: (...values: Values<M, K>) => void): this
    removeListener<K extends Known<M>> (event: K, listener: (...values: Values<M, K>) => void): this
    off<K extends Known<M>> (event: K, listener: (...values: Values<M, K>) => void): this
    removeAllListeners (event?: Known<M>): this
    /** Tells whether anybody listened. An `error` that nobody listens for is thrown. */
    emit<K extends Known<M>> (event: K, ...values: Values<M, K>): boolean
    eventNames (): EventName[]
    listenerCount (event: Known<M>, listener?: Listener): number
    listeners (event: Known<M>): Listener[]
    rawListeners (event: Known<M>): Listener[]
    getMaxListeners (): number
    setMaxListeners (count: number): this
  }

  /** Listeners of this event see errors, and do not count as handling them. */
  export const errorMonitor: unique symbol
  export let defaultMaxListeners: number

  export function getEventListeners (emitter: EventEmitter<any>, event: EventName): Listener[]
  export function listenerCount (emitter: EventEmitter<any>, event: EventName): number
  export function setMaxListeners (count?: number, ...emitters: EventEmitter<any>[]): void
  /** The next event, as a promise of its values. */
  export function once (
    emitter: EventEmitter<any> | EventTarget, event: EventName, options?: OnceOptions
  ): Promise<any[]>
  /** All coming events, as an async iterator of their values. */
  export function on (
    emitter: EventEmitter<any> | EventTarget, event: EventName, options?: OnOptions
  ): AsyncIterableIterator<any[]>

  export const Event: typeof globalThis.Event
  export const EventTarget: typeof globalThis.EventTarget
  export const CustomEvent: typeof globalThis.CustomEvent

  export default EventEmitter
}
