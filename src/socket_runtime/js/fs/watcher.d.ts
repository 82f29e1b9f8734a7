declare module 'socket:fs/watcher' {
  import { EventEmitter } from 'socket:events'
  import type { PathLike } from 'socket:fs/promises'

  export interface WatchOptions {
    recursive?: boolean
    signal?: AbortSignal
    encoding?: string | null
  }

  export interface FileChange {
    eventType: 'rename' | 'change'
    /** `null` where the system could not tell: anything may have changed. */
    filename: string | null
  }

  /** What changes at a path, as an async iterator. */
  export function changes (path: PathLike, options?: WatchOptions | string): AsyncIterableIterator<FileChange>

  export class FSWatcher extends EventEmitter<{
    change: [eventType: 'rename' | 'change', filename: string | null]
    error: [error: Error]
    close: []
  }> {
    constructor (path: PathLike, options?: WatchOptions | string)
    close (): void
  }

  export { FSWatcher as Watcher }
  export default FSWatcher
}
