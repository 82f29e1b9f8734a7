import * as types from './types.js'

/** The name of the class that made a value; `null` when it has no prototype. */
export function className (value) {
  let distance = 0
  for (let at = value; at !== null; at = Object.getPrototypeOf(at), distance++) {
    const descriptor = Object.getOwnPropertyDescriptor(at, 'constructor')
    const made = descriptor && typeof descriptor.value === 'function' && descriptor.value.name !== '' &&
      isInstance(value, descriptor.value)
    if (made) return descriptor.value.name
  }
  return null
}

function isInstance (value, constructor) {
  try {
    return value instanceof constructor
  } catch {
    return false
  }
}

/** `Symbol.toStringTag` where it says more than the class and is no property that will be shown. */
export function tagOf (value) {
  const tag = value[Symbol.toStringTag]
  const shown = Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag)
  return typeof tag === 'string' && tag !== '' && !shown ? tag : ''
}

/** What stands before the brace: `Foo(3) [tag] `. */
export function prefix (name, tag, fallback, size = '') {
  const extra = (known) => tag !== '' && known !== tag ? `[${tag}] ` : ''
  if (name === null) return `[${fallback}${size}: null prototype] ${extra(fallback)}`
  return `${name}${size} ${extra(name)}`
}

/** A function or a class, in brackets. */
export function functionBase (value, name, tag) {
  const extra = tag !== '' && name !== tag ? ` [${tag}]` : ''
  if (/^class\b/.test(Function.prototype.toString.call(value))) {
    const own = (Object.hasOwn(value, 'name') && value.name) || '(anonymous)'
    const parent = name === null ? '[null prototype]' : Object.getPrototypeOf(value).name
    const kind = name !== 'Function' && name !== null ? ` [${name}]` : ''
    return `[class ${own}${kind}${extra}${parent ? ` extends ${parent}` : ''}]`
  }
  const generator = types.isGeneratorFunction(value) ? 'Generator' : ''
  const type = `${types.isAsyncFunction(value) ? 'Async' : ''}${generator}Function`
  const bare = name === null ? ' (null prototype)' : ''
  const own = value.name === '' ? ' (anonymous)' : `: ${value.name}`
  const kind = name !== type && name !== null ? ` ${name}` : ''
  return `[${type}${bare}${own}]${kind}${extra}`
}

/** An error's name, message and stack; in brackets when it has no stack. */
export function errorBase (error, indentation) {
  const head = errorHead(error)
  const frames = stackFrames(error)
  if (frames === '') return `[${head}]`
  const text = `${head}\n${frames}`
  return indentation === 0 ? text : text.replaceAll('\n', `\n${' '.repeat(indentation)}`)
}

function errorHead (error) {
  const name = String(error.name ?? 'Error')
  const kind = className(error)
  const shown = kind && !name.includes(kind) && /Error$/.test(name) && kind !== 'Error' ? `${kind} [${name}]` : name
  return error.message ? `${shown}: ${error.message}` : shown
}

/** The lines of the stack, without what V8 repeats before them. */
function stackFrames (error) {
  if (typeof error.stack !== 'string' || error.stack === '') return ''
  const at = error.stack.indexOf('\n    at')
  if (at !== -1) return error.stack.slice(at + 1)
  if (/^\S*@|^\[native code\]/m.test(error.stack)) { // JavaScriptCore: 'name@file:line:column'
    return error.stack.split('\n').filter((line) => line).map((line) => `    at ${line}`).join('\n')
  }
  return ''
}

/** A wrapped primitive: `[Number: 3]`. */
export function boxedBase (value, name, show) {
  const inner = value.valueOf()
  const type = typeof inner
  const kind = type === 'bigint' ? 'BigInt' : type[0].toUpperCase() + type.slice(1)
  const outer = name === null ? `${kind} (null prototype)` : name === kind ? kind : `${kind} (${name})`
  return `[${outer}: ${show(inner)}]`
}
