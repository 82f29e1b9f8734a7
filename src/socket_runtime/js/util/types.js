/** What a value is, told by what the engine knows of it rather than by its prototype. */

const tag = (value) => Object.prototype.toString.call(value).slice(8, -1)

/** Does `method` of a prototype accept the value as its own? */
const accepts = (method) => (value) => {
  if (typeof value !== 'object' || value === null) return false
  try {
    method.call(value)
    return true
  } catch {
    return false
  }
}

const getter = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name).get
const typedArrayTag = getter(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)

export const isArrayBuffer = accepts(getter(ArrayBuffer.prototype, 'byteLength'))
export const isSharedArrayBuffer = typeof SharedArrayBuffer === 'undefined'
  ? () => false
  : accepts(getter(SharedArrayBuffer.prototype, 'byteLength'))
export const isAnyArrayBuffer = (value) => isArrayBuffer(value) || isSharedArrayBuffer(value)
export const isArrayBufferView = ArrayBuffer.isView
export const isDataView = accepts(getter(DataView.prototype, 'byteLength'))
export const isDate = accepts(Date.prototype.getTime)
export const isMap = accepts(getter(Map.prototype, 'size'))
export const isSet = accepts(getter(Set.prototype, 'size'))
export const isWeakMap = accepts(function () { WeakMap.prototype.has.call(this, {}) })
export const isWeakSet = accepts(function () { WeakSet.prototype.has.call(this, {}) })
export const isRegExp = (value) => typeof value === 'object' && value !== null && value !== RegExp.prototype &&
  accepts(getter(RegExp.prototype, 'flags'))(value) && tag(value) === 'RegExp'
export const isNumberObject = accepts(Number.prototype.valueOf)
export const isStringObject = accepts(String.prototype.valueOf)
export const isBooleanObject = accepts(Boolean.prototype.valueOf)
export const isSymbolObject = accepts(Symbol.prototype.valueOf)
export const isBigIntObject = accepts(BigInt.prototype.valueOf)
export const isBoxedPrimitive = (value) => isNumberObject(value) || isStringObject(value) || isBooleanObject(value) ||
  isSymbolObject(value) || isBigIntObject(value)
export const isNativeError = (value) => value instanceof Error || tag(value) === 'Error'
export const isPromise = (value) => value instanceof Promise || tag(value) === 'Promise'
export const isArgumentsObject = (value) => tag(value) === 'Arguments' && !Object.hasOwn(value, Symbol.toStringTag)
export const isAsyncFunction = (value) => typeof value === 'function' &&
  /AsyncFunction|AsyncGeneratorFunction/.test(tag(value))
export const isGeneratorFunction = (value) => typeof value === 'function' && /GeneratorFunction/.test(tag(value))
export const isGeneratorObject = (value) => tag(value) === 'Generator' || tag(value) === 'AsyncGenerator'
export const isMapIterator = (value) => tag(value) === 'Map Iterator'
export const isSetIterator = (value) => tag(value) === 'Set Iterator'
export const isModuleNamespaceObject = (value) => tag(value) === 'Module'

const typed = (name) => (value) => typedArrayTag.call(value) === name

export const isTypedArray = (value) => typedArrayTag.call(value) !== undefined
export const isUint8Array = typed('Uint8Array')
export const isUint8ClampedArray = typed('Uint8ClampedArray')
export const isUint16Array = typed('Uint16Array')
export const isUint32Array = typed('Uint32Array')
export const isInt8Array = typed('Int8Array')
export const isInt16Array = typed('Int16Array')
export const isInt32Array = typed('Int32Array')
export const isFloat32Array = typed('Float32Array')
export const isFloat64Array = typed('Float64Array')
export const isBigInt64Array = typed('BigInt64Array')
export const isBigUint64Array = typed('BigUint64Array')
