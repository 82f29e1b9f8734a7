/** The app's windows, as a page steers them. To reach another window than its own, the app needs a grant. */
import { runtime } from './_runtime.js'
import { EventEmitter } from './events.js'
import { call, on } from './ipc.js'

/** What a window is, in the numbers of the original. */
export const constants = Object.freeze({
  WINDOW_ERROR: -1,
  WINDOW_NONE: 0,
  WINDOW_CREATING: 10,
  WINDOW_CREATED: 11,
  WINDOW_HIDING: 20,
  WINDOW_HIDDEN: 21,
  WINDOW_SHOWING: 30,
  WINDOW_SHOWN: 31,
  WINDOW_CLOSING: 40,
  WINDOW_CLOSED: 41,
  WINDOW_EXITING: 50,
  WINDOW_EXITED: 51,
  WINDOW_KILLING: 60,
  WINDOW_KILLED: 61
})

/**
 * One window. Its events are those that Python and other windows send to this page: `resize {width, height}`,
 * `move {x, y}`, `minimize`, `maximize`, `restore`, `focus`, `blur`, and the app's own; only the page's own
 * window hears them.
 */
export class ApplicationWindow extends EventEmitter {
  #heard = new Set()

  /** @param {number} [index] the page's own window unless it says otherwise */
  constructor (index = runtime?.index ?? 0) {
    super()
    this.index = index
    if (index === runtime?.index) super.on('newListener', (name) => this.#hear(name))
  }

  /** Is it the window of this page? */
  get own () {
    return this.index === runtime?.index
  }

  #hear (name) {
    if (this.#heard.has(name) || typeof name !== 'string' || name === 'removeListener' || name === 'error') return
    this.#heard.add(name)
    on(name, (detail) => this.emit(name, detail))
  }

  /** Ask something of this window; the host knows by itself which one asks. */
  #call (command, args) {
    return call(`window.${command}`, this.own ? args : { ...args, window: this.index })
  }

  getSize () {
    return this.#call('getSize')
  }

  /** @param {{width: number, height: number}} size in pixels */
  setSize ({ width, height }) {
    return this.#call('setSize', { width, height })
  }

  getPosition () {
    return this.#call('getPosition')
  }

  /** @param {{x: number, y: number}} position in pixels */
  setPosition ({ x, y }) {
    return this.#call('setPosition', { x, y })
  }

  getTitle () {
    return this.#call('getTitle')
  }

  setTitle (title) {
    return this.#call('setTitle', { value: title })
  }

  getBackgroundColor () {
    return this.#call('getBackgroundColor')
  }

  /** @param {string | {red: number, green: number, blue: number}} color `'#RRGGBB'`, or its parts */
  setBackgroundColor (color) {
    return this.#call('setBackgroundColor', { color: typeof color === 'string' ? color : hex(color) })
  }

  show () {
    return this.#call('show')
  }

  hide () {
    return this.#call('hide')
  }

  focus () {
    return this.#call('focus')
  }

  maximize () {
    return this.#call('maximize')
  }

  minimize () {
    return this.#call('minimize')
  }

  restore () {
    return this.#call('restore')
  }

  fullscreen (on = true) {
    return this.#call('fullscreen', { on })
  }

  reload () {
    return this.#call('reload')
  }

  close () {
    return this.#call('close')
  }

  /** @param {string} url of a page of the app */
  navigate (url) {
    return this.#call('navigate', { url: String(url) })
  }

  showInspector () {
    return this.#call('showInspector')
  }

  /**
   * Let the user pick files to read. What is picked is granted, exactly as picked.
   * @param {{title?: string, multiple?: boolean, suggestedName?: string}} [options]
   * @returns {Promise<string[]>} empty when the user picked nothing
   */
  showOpenFilePicker (options) {
    return this.#pick('open', options)
  }

  /** Let the user choose where to write. */
  showSaveFilePicker (options) {
    return this.#pick('save', options)
  }

  /** Let the user pick a folder. */
  showDirectoryFilePicker (options) {
    return this.#pick('directory', options)
  }

  #pick (kind, { title, multiple, suggestedName } = {}) {
    return this.#call('showFileSystemPicker', { kind, title, multiple, name: suggestedName })
  }

  /** Send an event to this window's page. @param {{event: string, value?: any}} message */
  send ({ event, value }) {
    return call('window.send', { event, value, window: this.index })
  }

  /** Send a `message` event to this window's page. */
  postMessage (value) {
    return this.send({ event: 'message', value })
  }

  /** Open a URL in the system's browser; the grant `shell.open` names the schemes. */
  openExternal (url) {
    return call('shell.open', { url: String(typeof url === 'object' && 'value' in url ? url.value : url) })
  }

  /** Show a file in the system's file manager. */
  revealFile (path) {
    return call('shell.reveal', { path: String(path) })
  }

  toJSON () {
    return { index: this.index }
  }
}

function hex ({ red, green, blue }) {
  return '#' + [red, green, blue].map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')
}

export default ApplicationWindow
