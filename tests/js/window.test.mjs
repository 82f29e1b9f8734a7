import test from 'node:test'
import assert from 'node:assert/strict'
import { FakeHost } from './support/host.mjs'
import { load } from './support/modules.mjs'

const host = new FakeHost().install({ name: 'test', runtimeVersion: '1.2.3', pythonVersion: '3.11.7', debug: true,
  env: { MODE: 'x' } })
const { default: application } = await load('application')
const { ApplicationWindow, constants } = await load('window')
const { default: os } = await load('os')
const { default: runtimeProcess } = await load('process')

/** Every command answers with its arguments. */
const answers = {}
host.commands = new Proxy({}, { get: (_, name) => (args) => name in answers ? answers[name] : args })
const last = () => host.calls.at(-1)

test('what a window is told, and how another one is named', async () => {
  const own = new ApplicationWindow()
  const other = new ApplicationWindow(3)
  const calls = [
    ['getSize', [], {}], ['setSize', [{ width: 5, height: 6 }], { width: '5', height: '6' }], ['getPosition', [], {}],
    ['setPosition', [{ x: 1, y: -2 }], { x: '1', y: '-2' }], ['getTitle', [], {}],
      ['setTitle', ['T & t'], { value: 'T & t' }],
    ['getBackgroundColor', [], {}], ['setBackgroundColor', ['#102030'], { color: '#102030' }],
    ['setBackgroundColor', [{ red: 16, green: 32, blue: 48 }], { color: '#102030' }],
    ['show', [], {}], ['hide', [], {}], ['focus', [], {}], ['maximize', [], {}], ['minimize', [], {}],
      ['restore', [], {}],
    ['fullscreen', [], { on: 'true' }], ['fullscreen', [false], { on: 'false' }], ['reload', [], {}], ['close', [], {}],
    ['navigate', ['page.html'], { url: 'page.html' }], ['showInspector', [], {}],
    ['showOpenFilePicker', [{ multiple: true }], { kind: 'open', multiple: 'true' }, 'showFileSystemPicker'],
    ['showSaveFilePicker', [{ suggestedName: 'a.txt' }], { kind: 'save', name: 'a.txt' }, 'showFileSystemPicker'],
    ['showDirectoryFilePicker', [], { kind: 'directory' }, 'showFileSystemPicker']
  ]
  for (const [method, args, expected, command = method] of calls) {
    await own[method](...args)
    assert.deepEqual([last().command, last().args], [`window.${command}`, expected], method)
    await other[method](...args)
    assert.deepEqual(last().args, { ...expected, window: '3' }, method)
  }
  await other.send({ event: 'e', value: { a: 1 } })
  assert.deepEqual([last().command, last().args], ['window.send', { event: 'e', value: { a: 1 }, window: 3 }])
  await own.postMessage('hello')
  assert.deepEqual(last().args, { event: 'message', value: 'hello', window: '0' })
  await own.openExternal('https://x.org/')
  assert.deepEqual([last().command, last().args], ['shell.open', { url: 'https://x.org/' }])
  await own.openExternal({ value: new URL('https://y.org/') })
  assert.deepEqual(last().args, { url: 'https://y.org/' })
  await own.revealFile('a/b')
  assert.deepEqual([last().command, last().args], ['shell.reveal', { path: 'a/b' }])
})

test('a window hears what its page is told, and no other does', () => {
  const own = new ApplicationWindow()
  const other = new ApplicationWindow(3)
  const heard = []
  own.on('resize', (detail) => heard.push(detail))
  own.on('resize', () => heard.push('again'))
  other.on('resize', () => heard.push('wrong'))
  host.tell('resize', { width: 1 })
  assert.deepEqual(heard, [{ width: 1 }, 'again'])
  assert.deepEqual([own.own, other.own, JSON.stringify(other)], [true, false, '{"index":3}'])
  assert.equal(constants.WINDOW_SHOWN, 31)
})

test('the application', async () => {
  answers['application.getWindows'] = [{ index: 0, title: 'a', own: true }, { index: 2, title: 'b', own: false }]
  answers['window.create'] = { index: 5 }
  const windows = await application.getWindows()
  assert.deepEqual([...windows.keys()], [0, 2])
  assert.equal(windows.get(0), application.getCurrentWindow())
  assert.equal(await application.getWindow(2), windows.get(2))
  assert.equal(await application.getWindow(9), null)
  const made = await application.createWindow({ path: 'other.html', width: 300, hidden: true })
  assert.equal(made.index, 5)
  assert.deepEqual(last().args, { url: 'other.html', width: '300', hidden: 'true' })
  await application.getScreenSize()
  assert.equal(last().command, 'application.getScreenSize')
  await application.exit(3)
  assert.deepEqual([last().command, last().args], ['application.exit', { code: '3' }])
  assert.deepEqual([application.debug, application.runtimeVersion, application.config.name, application.MAX_WINDOWS],
    [true, '1.2.3', 'test', 64])
  assert.equal(application.getCurrentWindowIndex(), 0)
})

test('os', async () => {
  answers['os.info'] = { release: '6.1', version: 'v', machine: 'x86_64', homedir: '/h', tmpdir: '/t', totalmem: 5 }
  const count = host.calls.length
  assert.deepEqual(await Promise.all([os.release(), os.homedir(), os.tmpdir(), os.totalmem(), os.version(),
    os.machine()]), ['6.1', '/h', '/t', 5, 'v', 'x86_64'])
  assert.equal(host.calls.length, count + 1, 'asked once')
  for (const name of ['uptime', 'freemem', 'cpus', 'loadavg', 'networkInterfaces', 'rusage']) {
    await os[name]()
    assert.equal(last().command, `os.${name}`)
  }
  assert.deepEqual([os.platform(), os.arch(), os.type(), os.EOL, os.devNull, os.endianness()],
    ['linux', 'x64', 'Linux', '\n', '/dev/null', 'LE'])
  assert.ok(os.availableParallelism() >= 1)
})

test('process', async () => {
  answers['process.env'] = { HOME: '/h' }
  assert.equal(runtimeProcess.env.MODE, 'x')
  assert.equal(runtimeProcess.env.HOME, undefined)
  assert.equal(await runtimeProcess.env.get('HOME'), '/h')
  assert.equal(runtimeProcess.env.HOME, '/h')
  assert.deepEqual(Object.keys(runtimeProcess.env), ['MODE', 'HOME'])
  assert.equal(runtimeProcess.cwd(), process.cwd())
  assert.deepEqual([runtimeProcess.platform, runtimeProcess.arch, runtimeProcess.version,
    runtimeProcess.versions.python], ['linux', 'x64', 'v1.2.3', '3.11.7'])
  const start = runtimeProcess.hrtime()
  const [seconds, nanoseconds] = runtimeProcess.hrtime(start)
  assert.ok(seconds === 0 && nanoseconds >= 0)
  assert.equal(typeof runtimeProcess.hrtime.bigint(), 'bigint')
  assert.ok(runtimeProcess.uptime() >= 0)
  assert.equal(await new Promise((resolve) => runtimeProcess.nextTick(resolve, 7)), 7)
  assert.throws(() => runtimeProcess.nextTick(5), TypeError)
  await runtimeProcess.memoryUsage()
  assert.equal(last().command, 'process.memory')
  const events = []
  for (const name of ['beforeExit', 'exit']) runtimeProcess.on(name, (code) => events.push([name, code]))
  await runtimeProcess.exit(4)
  assert.deepEqual(events, [['beforeExit', 4], ['exit', 4]])
  assert.deepEqual([last().command, last().args], ['application.exit', { code: '4' }])
})
