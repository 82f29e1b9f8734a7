/** The runtime as the preload leaves it, for modules that need to know where they are and call nothing. */
globalThis[Symbol.for('socket.runtime')] ??= { config: { cwd: process.cwd(), platform: 'linux' } }
