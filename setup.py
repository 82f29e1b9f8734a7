"""Build the compiled core; everything else is said in pyproject.toml.

Environment:
    CORE_COVERAGE=1     trace lines, for coverage of the .pyx files
    CORE_DEBUG=1        count handles, keep assertions, -O1 -g
    CORE_MODULES=...    build only these, by comma: ``_cache,_relay``
    CORE_SANITIZE=...   with these sanitizers of gcc or clang: ``address,undefined``
    CORE_WERROR=1       a warning of the C compiler ends the build (CI)
    LIBUV_DIR=...       libuv is in this folder's ``include`` and ``lib``; otherwise pkg-config is asked
    LIBUV_STATIC=1      link its archive, where there is one
    CC, CFLAGS, LDFLAGS as usual
"""

from __future__ import annotations

import copy
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import SetupError

CORE = 'src/socket_core'
STORE = [
    '_store.c',
    '_store_cells.c',
    '_store_check.c',
    '_store_evict.c',
    '_store_index.c',
    '_store_packets.c',
    '_store_pages.c',
    '_store_sources.c',
]
# One extension for each noun of the core, so that a change rebuilds one; the C sources beside its .pyx. None of them
# has the name of a module: for coverage, Cython writes its C beside its source, in the place of theirs.
MODULES: dict[str, list[str]] = {
    '_address': ['_address_text.c'],
    '_packet': ['_sha256.c', '_sha256_x86.c', '_sha256_arm.c'],
    '_cache': ['_fork.c', *STORE, '_store_summary.c'],
    '_relay': ['_fork.c', '_relay_core.c', '_relay_limits.c', '_relay_seen.c', '_relay_tables.c', *STORE],
    '_udp': [
        '_engine.c',
        '_engine_events.c',
        '_engine_fork.c',
        '_engine_guest.c',
        '_engine_handle.c',
        '_engine_poll.c',
        '_engine_receive.c',
        '_engine_relay.c',
        '_engine_send.c',
        '_engine_socket.c',
        '_engine_timer.c',
        '_engine_udp.c',
        '_net.c',
        '_net_options.c',
        '_net_send.c',
        '_ring.c',
        '_wake.c',
    ],
}
# The only one that is linked with libuv.
WITH_LIBUV = ('_udp',)

LIBUV_OLDEST = (1, 41)  # that of RHEL 8, which manylinux_2_28 is made of
LIBUV_HELP = """\
  Debian, Ubuntu   apt-get install libuv1-dev pkg-config
  Fedora, RHEL     dnf install libuv-devel pkgconf
  Alpine           apk add libuv-dev pkgconf
  macOS            brew install libuv pkgconf
  Windows          vcpkg install libuv:x64-windows-static-md, then set LIBUV_DIR=...\\installed\\x64-windows-static-md
or set LIBUV_DIR to a folder with include/uv.h and lib/."""
# What an archive of libuv needs of Windows; of other systems, its .pc file says so.
WINDOWS_LIBRARIES = ('advapi32', 'dbghelp', 'iphlpapi', 'ole32', 'psapi', 'shell32', 'user32', 'userenv', 'ws2_32')


class LibuvError(SetupError):
    """libuv is missing, or too old. The message says how to get it."""

    def __init__(self, problem: str) -> None:
        super().__init__(f'{problem}\nThe core needs libuv {LIBUV_OLDEST[0]}.{LIBUV_OLDEST[1]} or later:\n{LIBUV_HELP}')


class Libuv(NamedTuple):
    """Where libuv is, and how it is linked."""

    version: tuple[int, int]
    include_dirs: list[str]
    link_args: list[str]


def find_libuv(environment: Mapping[str, str] = os.environ) -> Libuv:
    """By `LIBUV_DIR`, or by pkg-config. Raises LibuvError."""
    static = environment.get('LIBUV_STATIC', '') not in ('', '0')
    folder = environment.get('LIBUV_DIR', '')
    libuv = libuv_in(Path(folder), static) if folder else libuv_by_pkg_config(environment, static)
    if libuv.version < LIBUV_OLDEST:
        raise LibuvError(f'libuv {libuv.version[0]}.{libuv.version[1]} is too old.')
    return libuv


def libuv_in(folder: Path, static: bool) -> Libuv:
    """A folder with `include` and `lib`, as vcpkg, brew and `make install` leave it."""
    header = folder / 'include' / 'uv' / 'version.h'
    if not header.is_file():
        raise LibuvError(f'LIBUV_DIR={folder}: there is no include/uv/version.h.')
    found = dict(re.findall(r'#\s*define\s+UV_VERSION_(MAJOR|MINOR)\s+(\d+)', header.read_text('utf-8')))
    shared = [f'lib{sep}{name}' for sep in ('/', '64/') for name in ('libuv.so', 'libuv.dylib', 'uv.lib')]
    archives = [f'lib{sep}{name}' for sep in ('/', '64/') for name in ('libuv.a', 'libuv_a.a', 'libuv.lib', 'uv_a.lib')]
    for name in archives + shared if static or sys.platform == 'win32' else shared + archives:
        library = folder / name
        if library.is_file():
            break
    else:
        raise LibuvError(f'LIBUV_DIR={folder}: there is no library in lib/.')
    link_args = [str(library)]
    if sys.platform == 'win32':
        link_args += [f'{name}.lib' for name in WINDOWS_LIBRARIES]
    elif name in shared:
        link_args.append(f'-Wl,-rpath,{library.parent}')
    return Libuv((int(found['MAJOR']), int(found['MINOR'])), [str(folder / 'include')], link_args)


def libuv_by_pkg_config(environment: Mapping[str, str], static: bool) -> Libuv:
    """The system's."""
    program = environment.get('PKG_CONFIG') or 'pkg-config'
    if shutil.which(program, path=environment.get('PATH')) is None:
        raise LibuvError(f'{program} is missing, so libuv cannot be looked for.')

    def ask(*question: str) -> list[str] | None:
        result = subprocess.run([program, *question], capture_output=True, text=True, env=dict(environment))
        return shlex.split(result.stdout) if result.returncode == 0 else None

    # Debian's, and that of CMake; elsewhere the archive is asked for by --static, and it is the linker's choice.
    name = 'libuv-static' if static and ask('libuv-static') is not None else 'libuv'
    version = ask('--modversion', name)
    if not version:
        raise LibuvError('pkg-config does not know libuv.')
    include = ask('--cflags-only-I', name) or []
    linked = ask('--libs', *(['--static'] if static else []), name) or []
    major, minor = re.findall(r'\d+', version[0])[:2]
    return Libuv((int(major), int(minor)), [flag.removeprefix('-I') for flag in include], linked)


def wanted(name: str) -> bool:
    """Whether a switch is on: set, and not to 0."""
    return os.environ.get(name, '') not in ('', '0')


def compile_args() -> list[str]:
    """Flags for our own C and for what Cython makes of the .pyx files."""
    if sys.platform == 'win32':
        # The atomics of C11 are behind a switch of their own; UTF-8 is what our sources are.
        flags = ['/std:c11', '/experimental:c11atomics', '/utf-8', '/W3', '/O2']
        return flags + (['/WX'] if wanted('CORE_WERROR') else [])
    flags = ['-std=c11', '-O3', '-Wall', '-Wextra', '-fvisibility=hidden']
    # Cython names every parameter that CPython's calling conventions have, and uses few of them.
    flags += ['-Wno-unused-parameter', '-Wno-missing-field-initializers']
    if wanted('CORE_WERROR'):
        flags.append('-Werror')
    if wanted('CORE_DEBUG') or wanted('CORE_SANITIZE'):
        # Assertions are kept: Python's own flags, which come first, may have switched them off.
        flags += ['-O1', '-g', '-fno-omit-frame-pointer', '-UNDEBUG']
    if wanted('CORE_SANITIZE'):
        flags += [f'-fsanitize={os.environ["CORE_SANITIZE"]}', '-fno-sanitize-recover=undefined']
        if os.environ['CORE_SANITIZE'] == 'thread':
            flags.append('-Wno-tsan')  # fences, which it does not understand
    return flags


def link_args() -> list[str]:
    if sys.platform == 'win32':
        return []
    # Where libuv is an archive, its names stay inside: other extensions bring their own libuv, and ours is not theirs.
    flags = ['-Wl,--exclude-libs,ALL'] if sys.platform == 'linux' else []
    return flags + ([f'-fsanitize={os.environ["CORE_SANITIZE"]}'] if wanted('CORE_SANITIZE') else [])


def macros() -> list[tuple[str, str | None]]:
    defined: list[tuple[str, str | None]] = []
    if wanted('CORE_DEBUG'):
        defined.append(('CORE_DEBUG', '1'))
    if wanted('CORE_COVERAGE'):
        defined += [('CYTHON_TRACE', '1'), ('CYTHON_USE_SYS_MONITORING', '0')]
    return defined


def headers(sources: Iterable[str]) -> list[str]:
    """Our own headers that these files include, or their headers do: when one changes, the module is built anew."""
    found: dict[Path, None] = {}
    pending = [Path(source) for source in sources]
    while pending:
        path = pending.pop()
        # A C file that is not there yet is the compiler's to complain about.
        text = path.read_text('utf-8') if path.is_file() else ''
        # In C by #include, in Cython by `cdef extern from`, and by cimport of a .pxd that does so.
        names = re.findall(
            r'^\s*(?:#?\s*include|cdef extern from)\s*[\'"](_\w+\.(?:[ch]|pxi))[\'"]', text, re.MULTILINE
        )
        names += [f'{name}.pxd' for name in re.findall(r'^from socket_core\.(\w+) cimport', text, re.MULTILINE)]
        if path.suffix == '.pyx':
            names.append(path.with_suffix('.pxd').name)
        for name in names:
            header = Path(CORE, name)
            if header not in found and header.is_file():
                found[header] = None
                pending.append(header)
    return sorted(path.as_posix() for path in found)


def extensions() -> list[Extension]:
    names = [name for name in os.environ.get('CORE_MODULES', '').split(',') if name] or list(MODULES)
    unknown = sorted(set(names) - set(MODULES))
    if unknown:
        raise SystemExit(f'CORE_MODULES: no module {", ".join(unknown)}; there are {", ".join(MODULES)}')
    hidden = [source for sources in MODULES.values() for source in sources if source.removesuffix('.c') in MODULES]
    if hidden:
        raise SystemExit(f'{", ".join(sorted(hidden))}: a C source of our own may not have the name of a module')
    found = []
    for name in names:
        sources = [f'{CORE}/{name}.pyx', *(f'{CORE}/{source}' for source in MODULES[name])]
        found.append(
            Extension(
                f'socket_core.{name}',
                sources=sources,
                include_dirs=[CORE],
                depends=headers(sources),
                define_macros=macros(),
                extra_compile_args=compile_args(),
                extra_link_args=link_args(),
            )
        )
    return found


class BuildCore(build_ext):
    """Cython and libuv are asked for here, and not before: a source archive is made without them."""

    def finalize_options(self) -> None:
        super().finalize_options()
        if self.parallel is None:
            self.parallel = os.cpu_count()

    def run(self) -> None:
        self.translate()
        for extension in self.extensions:
            if extension.name.rpartition('.')[2] in WITH_LIBUV:
                libuv = find_libuv()
                extension.include_dirs += libuv.include_dirs
                extension.extra_link_args += libuv.link_args
        super().run()

    def translate(self) -> None:
        """Write the C of the .pyx files, and put it in their place."""
        from Cython.Build import cythonize

        coverage = wanted('CORE_COVERAGE')
        made = cythonize(
            self.extensions,
            include_path=['src'],
            # Coverage wants the C beside its source; otherwise it stays out of the tree.
            build_dir=None if coverage else 'build/cython',
            compiler_directives={
                'language_level': 3,
                'embedsignature': True,
                'embedsignature.format': 'python',
                'freethreading_compatible': True,
                'linetrace': coverage,
            },
        )
        sources = {extension.name: extension.sources for extension in made}
        for extension in self.extensions:
            extension.sources = sources[extension.name]

    def build_extension(self, ext: Any) -> None:
        # The same C file is part of several modules, which are compiled side by side: each has its own folder.
        own = copy.copy(self)
        own.build_temp = os.path.join(self.build_temp, ext.name)
        super(BuildCore, own).build_extension(ext)


if __name__ == '__main__':
    setup(ext_modules=extensions(), cmdclass={'build_ext': BuildCore})
