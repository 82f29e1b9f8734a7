declare module 'socket:buffer' {
  export type BufferEncoding =
    | 'utf8' | 'utf-8' | 'utf16le' | 'utf-16le' | 'ucs2' | 'ucs-2' | 'latin1' | 'binary' | 'ascii' | 'hex'
    | 'base64' | 'base64url'

  type Encoding = BufferEncoding | (string & {})
  type Bytes = Uint8Array | readonly number[]

  /** A Uint8Array that knows text encodings and numbers. */
  export interface Buffer extends Uint8Array {
    readonly parent: ArrayBufferLike
    readonly offset: number
    write (text: string, encoding?: Encoding): number
    write (text: string, offset: number, encoding?: Encoding): number
    write (text: string, offset: number, length: number, encoding?: Encoding): number
    toString (encoding?: Encoding, start?: number, end?: number): string
    toLocaleString (encoding?: any, start?: any, end?: any): string
    toJSON (): { type: 'Buffer', data: number[] }
    inspect (): string
    equals (other: Uint8Array): boolean
    compare (target: Uint8Array, targetStart?: number, targetEnd?: number, start?: number, end?: number): -1 | 0 | 1
    copy (target: Uint8Array, targetStart?: number, start?: number, end?: number): number
    /** Shares the memory, as `subarray` does. */
    slice (start?: number, end?: number): Buffer & ReturnType<Uint8Array['slice']>
    subarray (start?: number, end?: number): Buffer
    fill (value: string | Uint8Array | number | boolean, encoding?: Encoding): this
    fill (value: string | Uint8Array | number | boolean, offset?: number, end?: number, encoding?: Encoding): this
    fill (value: string | Uint8Array | number | boolean, offset: number, encoding: Encoding): this
    indexOf (value: string | number | Uint8Array, encoding: Encoding): number
    indexOf (value: string | number | Uint8Array, offset?: number, encoding?: Encoding): number
    lastIndexOf (value: string | number | Uint8Array, encoding: Encoding): number
    lastIndexOf (value: string | number | Uint8Array, offset?: number, encoding?: Encoding): number
    includes (value: string | number | Uint8Array, encoding: Encoding): boolean
    includes (value: string | number | Uint8Array, offset?: number, encoding?: Encoding): boolean
    swap16 (): this
    swap32 (): this
    swap64 (): this

    readUInt8 (offset?: number): number
    readUint8 (offset?: number): number
    readInt8 (offset?: number): number
    readUInt16LE (offset?: number): number
    readUint16LE (offset?: number): number
    readUInt16BE (offset?: number): number
    readUint16BE (offset?: number): number
    readInt16LE (offset?: number): number
    readInt16BE (offset?: number): number
    readUInt32LE (offset?: number): number
    readUint32LE (offset?: number): number
    readUInt32BE (offset?: number): number
    readUint32BE (offset?: number): number
    readInt32LE (offset?: number): number
    readInt32BE (offset?: number): number
    readBigUInt64LE (offset?: number): bigint
    readBigUint64LE (offset?: number): bigint
    readBigUInt64BE (offset?: number): bigint
    readBigUint64BE (offset?: number): bigint
    readBigInt64LE (offset?: number): bigint
    readBigInt64BE (offset?: number): bigint
    readFloatLE (offset?: number): number
    readFloatBE (offset?: number): number
    readDoubleLE (offset?: number): number
    readDoubleBE (offset?: number): number
    readUIntLE (offset: number, byteLength: number): number
    readUintLE (offset: number, byteLength: number): number
    readUIntBE (offset: number, byteLength: number): number
    readUintBE (offset: number, byteLength: number): number
    readIntLE (offset: number, byteLength: number): number
    readIntBE (offset: number, byteLength: number): number

    writeUInt8 (value: number, offset?: number): number
    writeUint8 (value: number, offset?: number): number
    writeInt8 (value: number, offset?: number): number
    writeUInt16LE (value: number, offset?: number): number
    writeUint16LE (value: number, offset?: number): number
    writeUInt16BE (value: number, offset?: number): number
    writeUint16BE (value: number, offset?: number): number
    writeInt16LE (value: number, offset?: number): number
    writeInt16BE (value: number, offset?: number): number
    writeUInt32LE (value: number, offset?: number): number
    writeUint32LE (value: number, offset?: number): number
    writeUInt32BE (value: number, offset?: number): number
    writeUint32BE (value: number, offset?: number): number
    writeInt32LE (value: number, offset?: number): number
    writeInt32BE (value: number, offset?: number): number
    writeBigUInt64LE (value: bigint, offset?: number): number
    writeBigUint64LE (value: bigint, offset?: number): number
    writeBigUInt64BE (value: bigint, offset?: number): number
    writeBigUint64BE (value: bigint, offset?: number): number
    writeBigInt64LE (value: bigint, offset?: number): number
    writeBigInt64BE (value: bigint, offset?: number): number
    writeFloatLE (value: number, offset?: number): number
    writeFloatBE (value: number, offset?: number): number
    writeDoubleLE (value: number, offset?: number): number
    writeDoubleBE (value: number, offset?: number): number
    writeUIntLE (value: number, offset: number, byteLength: number): number
    writeUintLE (value: number, offset: number, byteLength: number): number
    writeUIntBE (value: number, offset: number, byteLength: number): number
    writeUintBE (value: number, offset: number, byteLength: number): number
    writeIntLE (value: number, offset: number, byteLength: number): number
    writeIntBE (value: number, offset: number, byteLength: number): number

    asciiSlice (start?: number, end?: number): string
    base64Slice (start?: number, end?: number): string
    base64urlSlice (start?: number, end?: number): string
    hexSlice (start?: number, end?: number): string
    latin1Slice (start?: number, end?: number): string
    ucs2Slice (start?: number, end?: number): string
    utf8Slice (start?: number, end?: number): string
    asciiWrite (text: string, offset?: number, length?: number): number
    base64Write (text: string, offset?: number, length?: number): number
    base64urlWrite (text: string, offset?: number, length?: number): number
    hexWrite (text: string, offset?: number, length?: number): number
    latin1Write (text: string, offset?: number, length?: number): number
    ucs2Write (text: string, offset?: number, length?: number): number
    utf8Write (text: string, offset?: number, length?: number): number
  }

  export interface BufferConstructor {
    readonly prototype: Buffer
    poolSize: number
    /** @deprecated use `Buffer.from` and `Buffer.alloc` */
    new (value: any, encodingOrOffset?: any, length?: number): Buffer
    /** @deprecated use `Buffer.from` and `Buffer.alloc` */
    (value: any, encodingOrOffset?: any, length?: number): Buffer
    from (text: string, encoding?: Encoding): Buffer
    from (memory: ArrayBufferLike, offset?: number, length?: number): Buffer
    from (bytes: Bytes | ArrayLike<number> | { type: 'Buffer', data: number[] }): Buffer
    from (value: { valueOf (): string | object } | { [Symbol.toPrimitive] (hint: 'string'): string }): Buffer
    of (...bytes: number[]): Buffer
    alloc (size: number, fill?: string | Uint8Array | number, encoding?: Encoding): Buffer
    allocUnsafe (size: number): Buffer
    allocUnsafeSlow (size: number): Buffer
    concat (list: readonly Uint8Array[], length?: number): Buffer
    compare (a: Uint8Array, b: Uint8Array): -1 | 0 | 1
    isBuffer (value: unknown): value is Buffer
    isEncoding (name: string): name is BufferEncoding
    byteLength (value: string | ArrayBufferView | ArrayBufferLike, encoding?: Encoding): number
    copyBytesFrom (view: ArrayBufferView, offset?: number, length?: number): Buffer
  }

  export const Buffer: BufferConstructor
  /** @deprecated use `Buffer.allocUnsafeSlow` */
  export const SlowBuffer: { new (size: number): Buffer, (size: number): Buffer, readonly prototype: Buffer }
  /** How many bytes `inspect` shows; to be changed on the default export. */
  export let INSPECT_MAX_BYTES: number
  export const kMaxLength: number
  export const kStringMaxLength: number
  export const constants: { readonly MAX_LENGTH: number, readonly MAX_STRING_LENGTH: number }
  /** Bytes of text in one encoding as those of the same text in another. */
  export function transcode (source: Uint8Array, from: Encoding, to: Encoding): Buffer
  export function isUtf8 (input: ArrayBufferView | ArrayBuffer): boolean
  export function isAscii (input: ArrayBufferView | ArrayBuffer): boolean
  export const Blob: typeof globalThis.Blob
  export const File: typeof globalThis.File
  export const atob: typeof globalThis.atob
  export const btoa: typeof globalThis.btoa

  const buffer: Omit<typeof import('socket:buffer'), 'default'>
  export default buffer
}
