declare module 'socket:os' {
  export interface SystemInfo {
    platform: string
    arch: string
    type: string
    release: string
    version: string
    machine: string
    endianness: 'LE' | 'BE'
    EOL: string
    cpus: number
    totalmem: number
    homedir: string
    tmpdir: string
  }

  export interface CpuInfo {
    model: string
    /** MHz. */
    speed: number
    /** Milliseconds. */
    times: { user: number, nice: number, sys: number, idle: number, irq: number }
  }

  export interface NetworkInterfaceInfo {
    address: string
    netmask: string
    family: 'IPv4' | 'IPv6'
    mac: string
    internal: boolean
    cidr: string | null
    scopeid?: number
  }

  export interface ResourceUsage {
    /** Microseconds. */
    userCPUTime: number
    systemCPUTime: number
    /** KiB. */
    maxRSS: number
    minorPageFault: number
    majorPageFault: number
    fsRead: number
    fsWrite: number
    voluntaryContextSwitches: number
    involuntaryContextSwitches: number
  }

  export const EOL: '\n' | '\r\n'
  export const devNull: string

  /** Known to the page from the start. */
  export function arch (): string
  export function platform (): string
  export function type (): string
  export function endianness (): 'LE' | 'BE'
  export function availableParallelism (): number

  /** Asked of Python, once. */
  export function info (): Promise<SystemInfo>
  export function release (): Promise<string>
  export function version (): Promise<string>
  export function machine (): Promise<string>
  export function homedir (): Promise<string>
  export function tmpdir (): Promise<string>
  export function totalmem (): Promise<number>

  /** Asked of Python every time. */
  export function uptime (): Promise<number>
  export function freemem (): Promise<number>
  export function cpus (): Promise<CpuInfo[]>
  export function loadavg (): Promise<[number, number, number]>
  export function networkInterfaces (): Promise<Record<string, NetworkInterfaceInfo[]>>
  export function rusage (): Promise<ResourceUsage>

  const os: Omit<typeof import('socket:os'), 'default'>
  export default os
}
