/** The app: its windows, its screen, its end. */
import { config as facts, runtime } from './_runtime.js'
import { call } from './ipc.js'
import { ApplicationWindow } from './window.js'

/** As many windows as the original allows an app. */
export const MAX_WINDOWS = 64

/** What `socket.ini` says of the app, and what the runtime says of itself. */
export const config = Object.freeze({ ...facts })
export const debug = facts.debug === true
export const runtimeVersion = facts.runtimeVersion ?? ''

const windows = new Map()

function windowOf (index) {
  if (!windows.has(index)) windows.set(index, new ApplicationWindow(index))
  return windows.get(index)
}

/** The number of this page's window. */
export function getCurrentWindowIndex () {
  return runtime?.index ?? 0
}

/** This page's window. */
export function getCurrentWindow () {
  return windowOf(getCurrentWindowIndex())
}

/** The open windows, by their numbers. @returns {Promise<Map<number, ApplicationWindow>>} */
export async function getWindows () {
  const open = await call('application.getWindows')
  return new Map(open.map(({ index }) => [index, windowOf(index)]))
}

/** One open window, or `null`. */
export async function getWindow (index) {
  return (await getWindows()).get(Number(index)) ?? null
}

/**
 * Open another window of the app.
 * @param {{path?: string, url?: string, title?: string, width?: number, height?: number, resizable?: boolean,
 *   frameless?: boolean, hidden?: boolean}} options
 */
export async function createWindow ({ path, url = path, title, width, height, resizable, frameless, hidden } = {}) {
  const { index } = await call('window.create', { url, title, width, height, resizable, frameless, hidden })
  return windowOf(index)
}

/** The screen's size in pixels. */
export function getScreenSize () {
  return call('application.getScreenSize')
}

/** End the app. */
export function exit (code = 0) {
  return call('application.exit', { code })
}

export default {
  MAX_WINDOWS,
  config,
  createWindow,
  debug,
  exit,
  getCurrentWindow,
  getCurrentWindowIndex,
  getScreenSize,
  getWindow,
  getWindows,
  runtimeVersion
}
