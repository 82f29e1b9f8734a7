/**
 * The system that the app runs on. What the page knows from the start is told at once; what Python has to be
 * asked is told by a promise.
 */
import { config } from './_runtime.js'
import { call } from './ipc.js'

const windows = config.platform === 'win32'
const TYPES = { linux: 'Linux', darwin: 'Darwin', win32: 'Windows_NT' }

export const EOL = windows ? '\r\n' : '\n'
export const devNull = windows ? '\\\\.\\nul' : '/dev/null'

let facts = null

/** All that does not change while the app runs; asked once. */
export function info () {
  facts ??= call('os.info').catch((error) => {
    facts = null // a refusal now is no refusal for ever
    throw error
  })
  return facts
}

const fact = (name) => async () => (await info())[name]

export const arch = () => config.arch
export const platform = () => config.platform
export const type = () => TYPES[config.platform] ?? config.platform
export const endianness = () => new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'LE' : 'BE'
export const availableParallelism = () => globalThis.navigator?.hardwareConcurrency ?? 1

export const release = fact('release')
export const version = fact('version')
export const machine = fact('machine')
export const homedir = fact('homedir')
export const tmpdir = fact('tmpdir')
export const totalmem = fact('totalmem')

/** Seconds since the system started. */
export const uptime = () => call('os.uptime')
/** Bytes of memory that nobody uses. */
export const freemem = () => call('os.freemem')
export const cpus = () => call('os.cpus')
/** What this process has used of time and memory. */
export const rusage = () => call('os.rusage')
export const loadavg = () => call('os.loadavg')
export const networkInterfaces = () => call('os.networkInterfaces')

export default {
  EOL,
  arch,
  availableParallelism,
  cpus,
  devNull,
  endianness,
  freemem,
  homedir,
  info,
  loadavg,
  machine,
  networkInterfaces,
  platform,
  release,
  rusage,
  tmpdir,
  totalmem,
  type,
  uptime,
  version
}
