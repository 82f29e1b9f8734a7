/** The app's process, as far as a page may see it. */
import { config } from './_runtime.js'
import { EventEmitter } from './events.js'
import { call } from './ipc.js'

/**
 * The environment: what `socket.ini` hands to pages, and, after `await process.env.load()`, what its grant
 * `process.env` names. `await process.env.get('HOME')` loads and looks up.
 */
export const env = Object.defineProperties({ ...config.env }, {
  load: { value: async () => Object.assign(env, await call('process.env')) },
  get: { value: async (name) => (await env.load())[name] }
})

export const argv = [...(config.argv ?? [])]
export const { arch, pid, platform } = config
export const version = `v${config.runtimeVersion ?? '0.0.0'}`
export const versions = Object.freeze({ 'socket-runtime': config.runtimeVersion, python: config.pythonVersion })

const started = performance.now()

/** The folder that relative paths of `path.resolve` start from. */
export function cwd () {
  return config.cwd ?? (platform === 'win32' ? '\\' : '/')
}

/** `[seconds, nanoseconds]` of a clock that only goes forward; less an earlier one. */
export function hrtime (earlier) {
  const now = hrtime.bigint() - (earlier ? BigInt(earlier[0]) * 1_000_000_000n + BigInt(earlier[1]) : 0n)
  return [Number(now / 1_000_000_000n), Number(now % 1_000_000_000n)]
}

hrtime.bigint = () => BigInt(Math.round(performance.now() * 1e6))

/** Seconds since this page started. */
export function uptime () {
  return (performance.now() - started) / 1000
}

/** Call soon, before anything else that waits. */
export function nextTick (callback, ...args) {
  if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function')
  queueMicrotask(() => callback(...args))
}

/** Bytes that the app uses. */
export function memoryUsage () {
  return call('process.memory')
}

/** End the app: all windows, and Python. */
export async function exit (code = process.exitCode ?? 0) {
  process.exitCode = code
  process.emit('beforeExit', code)
  process.emit('exit', code)
  await call('application.exit', { code })
}

const process = Object.assign(new EventEmitter(), {
  arch,
  argv,
  cwd,
  env,
  exit,
  exitCode: undefined,
  hrtime,
  memoryUsage,
  nextTick,
  pid,
  platform,
  uptime,
  version,
  versions
})

export default process
