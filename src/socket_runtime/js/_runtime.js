/**
 * What the preload left for our modules, or `undefined` where there is none: in a worker, in a frame, in a
 * plain browser, in Node.js. Captured once: the preload ran before any module, and a page that later
 * puts something else in its place must not reach us.
 */
export const runtime = globalThis[Symbol.for('socket.runtime')]

/** The app's configuration as plain JSON; empty without the preload. */
export const config = runtime?.config ?? {}
