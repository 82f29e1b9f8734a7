"""Build the compiled core; everything else is said in pyproject.toml.

Environment:
    CORE_COVERAGE=1  trace lines, for coverage of the .pyx files
    CORE_WERROR=1    a warning of the C compiler ends the build (CI)
    CFLAGS, LDFLAGS  as usual, e.g. ``-fsanitize=address,undefined``
"""

from __future__ import annotations

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

CORE = 'src/socket_core'
# Modules of the core: one extension each, so that a change rebuilds one.
MODULES = {'_packet': []}


def compile_args() -> list[str]:
    """Flags for our own C and for what Cython makes of the .pyx files."""
    if sys.platform == 'win32':
        return ['/std:c11', '/W3', '/O2'] + (['/WX'] if os.environ.get('CORE_WERROR') else [])
    flags = ['-std=c11', '-O3', '-Wall', '-Wextra', '-fvisibility=hidden']
    # Cython names every parameter that CPython's calling conventions have, and uses few of them.
    flags += ['-Wno-unused-parameter', '-Wno-missing-field-initializers']
    return flags + (['-Werror'] if os.environ.get('CORE_WERROR') else [])


def extensions() -> list[Extension]:
    coverage = bool(os.environ.get('CORE_COVERAGE'))
    modules = [
        Extension(
            f'socket_core.{name}',
            sources=[f'{CORE}/{name}.pyx', *(f'{CORE}/{source}' for source in sources)],
            include_dirs=[CORE],
            depends=[f'{CORE}/_frame.h'],
            define_macros=[('CYTHON_TRACE', '1'), ('CYTHON_USE_SYS_MONITORING', '0')] if coverage else [],
            extra_compile_args=compile_args(),
        )
        for name, sources in MODULES.items()
    ]
    return cythonize(
        modules,
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


setup(ext_modules=extensions())
