declare module 'socket:window' {
  import { EventEmitter } from 'socket:events'

  export interface Size { width: number, height: number }
  export interface Position { x: number, y: number }
  export interface Color { red: number, green: number, blue: number }

  export interface PickerOptions {
    title?: string
    /** Several files; for opening alone. */
    multiple?: boolean
    /** For saving alone. */
    suggestedName?: string
  }

  /** What a window is, in the numbers of the original. */
  export const constants: {
    readonly WINDOW_ERROR: -1
    readonly WINDOW_NONE: 0
    readonly WINDOW_CREATING: 10
    readonly WINDOW_CREATED: 11
    readonly WINDOW_HIDING: 20
    readonly WINDOW_HIDDEN: 21
    readonly WINDOW_SHOWING: 30
    readonly WINDOW_SHOWN: 31
    readonly WINDOW_CLOSING: 40
    readonly WINDOW_CLOSED: 41
    readonly WINDOW_EXITING: 50
    readonly WINDOW_EXITED: 51
    readonly WINDOW_KILLING: 60
    readonly WINDOW_KILLED: 61
  }

  /** One window. Only the page's own window hears events: the system's and those that are sent to this page. */
  export class ApplicationWindow extends EventEmitter {
    /** @param index the page's own window unless it says otherwise; others need the grant `window.manage` */
    constructor (index?: number)
    readonly index: number
    /** Is it the window of this page? */
    readonly own: boolean
    getSize (): Promise<Size>
    setSize (size: Size): Promise<void>
    getPosition (): Promise<Position>
    setPosition (position: Position): Promise<void>
    getTitle (): Promise<string>
    setTitle (title: string): Promise<void>
    getBackgroundColor (): Promise<string>
    /** `'#RRGGBB'`, or its parts. */
    setBackgroundColor (color: string | Color): Promise<void>
    show (): Promise<void>
    hide (): Promise<void>
    focus (): Promise<void>
    maximize (): Promise<void>
    minimize (): Promise<void>
    restore (): Promise<void>
    fullscreen (on?: boolean): Promise<void>
    reload (): Promise<void>
    close (): Promise<void>
    navigate (url: string | URL): Promise<void>
    showInspector (): Promise<void>
    /** What the user picks is granted to the app, exactly as picked. Empty when nothing was. */
    showOpenFilePicker (options?: PickerOptions): Promise<string[]>
    showSaveFilePicker (options?: PickerOptions): Promise<string[]>
    showDirectoryFilePicker (options?: PickerOptions): Promise<string[]>
    /** Send an event to this window's page. */
    send (message: { event: string, value?: unknown }): Promise<void>
    postMessage (value: unknown): Promise<void>
    /** Open a URL in the system's browser; the grant `shell.open` names the schemes. */
    openExternal (url: string | URL | { value: string | URL }): Promise<void>
    revealFile (path: string): Promise<void>
    toJSON (): { index: number }
  }

  export default ApplicationWindow
}
