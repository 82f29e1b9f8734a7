import application, { createWindow, getCurrentWindow, getWindows } from 'socket:application'
import hooks, { onApplicationURL, onReady, wait } from 'socket:hooks'
import os, { cpus, platform } from 'socket:os'
import process, { env, hrtime } from 'socket:process'
import ApplicationWindow, { type Size, constants } from 'socket:window'
import type { Equal, Expect } from './assert.js'

const own = getCurrentWindow()
const windows = await getWindows()
const other = await createWindow({ url: 'other.html', width: 300 })
const size = await own.getSize()
const picked = await own.showOpenFilePicker({ multiple: true })
const home = await env.get('HOME')
const cores = await cpus()

export type App = [
  Expect<Equal<typeof own, ApplicationWindow>>,
  Expect<Equal<typeof windows, Map<number, ApplicationWindow>>>,
  Expect<Equal<typeof other, ApplicationWindow>>,
  Expect<Equal<typeof size, Size>>,
  Expect<Equal<typeof picked, string[]>>,
  Expect<Equal<typeof home, string | undefined>>,
  Expect<Equal<typeof env.NODE_ENV, string | undefined>>,
  Expect<Equal<(typeof cores)[number]['model'], string>>,
  Expect<Equal<ReturnType<typeof platform>, string>>,
  Expect<Equal<ReturnType<typeof os.totalmem>, Promise<number>>>,
  Expect<Equal<ReturnType<typeof hrtime.bigint>, bigint>>,
  Expect<Equal<ReturnType<typeof process.exit>, Promise<void>>>,
  Expect<Equal<typeof constants.WINDOW_SHOWN, 31>>,
  Expect<Equal<typeof application.MAX_WINDOWS, 64>>
]

await own.setSize({ width: 1, height: 2 })
await own.setBackgroundColor({ red: 1, green: 2, blue: 3 })
await own.send({ event: 'x', value: [1] })
own.on('resize', ({ width }) => width)
process.on('exit', (code) => code.toFixed())
process.nextTick((a: number) => a, 5)
const stop: () => void = onReady(() => {})
onApplicationURL(({ detail }) => detail)
await wait('custom', { signal: AbortSignal.timeout(5) })
hooks.onLoad(stop)
// @ts-expect-error a size has two sides
await own.setSize({ width: 1 })
// @ts-expect-error told later
os.hostname()
// @ts-expect-error a hook takes a function
onReady()
