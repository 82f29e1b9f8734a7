/** The commands of `fs.*` on a folder of this machine, by the table that the Python side follows. */
import fs from 'node:fs/promises'
import path from 'node:path'
import { Reply, failure, record } from './host.mjs'

const TYPES = [
  ['isFile', 'file'], ['isDirectory', 'directory'], ['isSymbolicLink', 'symlink'], ['isFIFO', 'fifo'],
  ['isSocket', 'socket'], ['isCharacterDevice', 'char'], ['isBlockDevice', 'block']
]
const typeOf = (stats) => TYPES.find(([question]) => stats[question]())[1]
const flag = (value) => value === true || value === 'true'
const number = (value, otherwise) => value === undefined ? otherwise : Number(value)

function facts (stats) {
  const names = ['dev', 'ino', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'size', 'blksize', 'blocks', 'atimeMs', 'mtimeMs',
    'ctimeMs', 'birthtimeMs']
  return { ...Object.fromEntries(names.map((name) => [name, stats[name]])), type: typeOf(stats) }
}

/** An error of the system as the host tells it, with the path as the page gave it. */
function told (error, args) {
  if (!error.code) throw error
  const { code, errno, syscall } = error
  const given = args.path ?? args.src
  const message = `${error.message.split(',')[0]}, ${syscall} '${given}'`
  return failure(500, { message, name: 'Error', type: 'CommandFailed', code, errno, syscall, path: given })
}

async function * pieces (handle, start, end, size) {
  const buffer = new Uint8Array(size)
  for (let at = start; at <= end;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(size, end - at + 1), at)
    if (bytesRead === 0) break
    at += bytesRead
    yield buffer.slice(0, bytesRead)
  }
  await handle.close()
}

async function list (full, given, recursive) {
  const found = []
  for (const entry of await fs.readdir(full, { withFileTypes: true })) {
    found.push({ name: entry.name, type: typeOf(entry), parent: given })
    if (recursive && entry.isDirectory()) {
      found.push(...await list(path.join(full, entry.name), `${given === '/' ? '' : given}/${entry.name}`, true))
    }
  }
  return found
}

/** @param {string} root where relative paths start */
export function fileCommands (host, root) {
  const at = (given) => path.resolve(root, given)
  const open = new Map()
  const handle = ({ fd }) => {
    if (!open.has(fd)) throw failure(404, { message: 'there is no such open file', type: 'NotFound', code: 'EBADF' })
    return open.get(fd)
  }
  const commands = {
    async readFile ({ path: given, offset, length }, { headers }) {
      const bytes = await fs.readFile(at(given))
      if (headers.get('Socket-Bulk') !== 'file' || bytes.length <= 1 << 20) {
        return new Uint8Array(bytes.subarray(number(offset, 0),
          length === undefined ? undefined : number(offset, 0) + number(length)))
      }
      const name = `f${host.calls.length}`
      host.files.set(name, new Blob([bytes]))
      return new Reply('file', { size: bytes.length }, { 'Socket-File': name,
        'Socket-File-Size': String(bytes.length) })
    },
    async writeFile ({ path: given, mode, flag: named = 'w' }, { body }) {
      await fs.writeFile(at(given), body, { mode: number(mode, 0o666), flag: named })
      return { bytesWritten: body.length }
    },
    async appendFile ({ path: given }, { body }) {
      await fs.appendFile(at(given), body)
      return { bytesWritten: body.length }
    },
    async readStream ({ path: given, start, end, chunk }) {
      const opened = await fs.open(at(given))
      return new Reply('stream-binary', pieces(opened, number(start, 0), number(end, Infinity), number(chunk, 65536)))
    },
    async writeStream ({ path: given, flag: named = 'w', mode, start }) {
      const opened = await fs.open(at(given), named, number(mode, 0o666))
      let position = start === undefined ? null : Number(start)
      let bytesWritten = 0
      return host.openUpload(async (bytes) => {
        await opened.write(bytes, 0, bytes.length, position)
        bytesWritten += bytes.length
        if (position !== null) position += bytes.length
      }, async () => {
        await opened.close()
        return { bytesWritten }
      })
    },
    stat: async ({ path: given }) => facts(await fs.stat(at(given))),
    lstat: async ({ path: given }) => facts(await fs.lstat(at(given))),
    readdir: ({ path: given, recursive }) => list(at(given), given.replace(/\/+$/, '') || '/', flag(recursive)),
    mkdir: async ({ path: given, recursive, mode }) => {
      await fs.mkdir(at(given), { recursive: flag(recursive), mode: number(mode, 0o777) })
      return { created: true }
    },
    rmdir: ({ path: given }) => fs.rmdir(at(given)),
    unlink: ({ path: given }) => fs.unlink(at(given)),
    rm: ({ path: given, recursive, force }) => fs.rm(at(given), { recursive: flag(recursive), force: flag(force) }),
    rename: ({ src, dest }) => fs.rename(at(src), at(dest)),
    copyFile: ({ src, dest, exclusive }) => fs.copyFile(at(src), at(dest), flag(exclusive) ? 1 : 0),
    cp: ({ src, dest, recursive }) => fs.cp(at(src), at(dest), { recursive: flag(recursive) }),
    access: ({ path: given, mode }) => fs.access(at(given), number(mode, 0)),
    realpath: ({ path: given }) => fs.realpath(at(given)),
    readlink: ({ path: given }) => fs.readlink(at(given)),
    symlink: ({ target, path: given }) => fs.symlink(target, at(given)),
    link: ({ src, dest }) => fs.link(at(src), at(dest)),
    chmod: ({ path: given, mode }) => fs.chmod(at(given), Number(mode)),
    truncate: ({ path: given, length }) => fs.truncate(at(given), number(length, 0)),
    utimes: ({ path: given, atime, mtime }) => fs.utimes(at(given), Number(atime), Number(mtime)),
    mkdtemp: async ({ prefix }) => ({ path: path.relative(root, await fs.mkdtemp(at(prefix))) }),
    async watch ({ path: given, recursive }, { signal }) {
      await fs.access(at(given))
      const events = fs.watch(at(given), { recursive: flag(recursive), signal })
      return new Reply('stream-items', (async function * () {
        yield record(null)
        for await (const { eventType: type, filename } of events) yield record({ data: { type, filename } })
      })())
    },
    async open ({ path: given, flags = 'r', mode }) {
      const fd = `h${open.size}`
      open.set(fd, await fs.open(at(given), flags, number(mode, 0o666)))
      return { fd }
    },
    async close (args) {
      await handle(args).close()
      open.delete(args.fd)
    },
    async read (args) {
      const position = number(args.position, -1)
      const { buffer, bytesRead } = await handle(args).read(new Uint8Array(Number(args.length)), 0, Number(args.length),
        position < 0 ? null : position)
      return buffer.slice(0, bytesRead)
    },
    async write (args, { body }) {
      const position = number(args.position, -1)
      const { bytesWritten } = await handle(args).write(body, 0, body.length, position < 0 ? null : position)
      return { bytesWritten }
    },
    fstat: async (args) => facts(await handle(args).stat()),
    ftruncate: (args) => handle(args).truncate(Number(args.length)),
    fsync: (args) => handle(args).sync(),
    roots: () => ({ resources: root })
  }
  return Object.fromEntries(Object.entries(commands).map(([name, command]) => [`fs.${name}`, async (args, call) => {
    try {
      return await command(args, call)
    } catch (error) {
      throw error.err ? error : told(error, args)
    }
  }]))
}
