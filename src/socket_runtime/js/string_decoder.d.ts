declare module 'socket:string_decoder' {
  import type { BufferEncoding } from 'socket:buffer'

  /** Decodes text that comes in pieces: what is left of a character waits for the next piece. */
  export class StringDecoder {
    constructor (encoding?: BufferEncoding | (string & {}))
    readonly encoding: BufferEncoding
    /** The text that is now complete. */
    write (bytes: ArrayBufferView | ArrayBuffer | string): string
    /** The last piece, and whatever waits. */
    end (bytes?: ArrayBufferView | ArrayBuffer | string): string
  }

  const stringDecoder: { StringDecoder: typeof StringDecoder }
  export default stringDecoder
}
