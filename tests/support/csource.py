"""The C and Cython sources of the core, read without compiling them: functions, their lengths, who includes whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# Comments, strings and characters; the order matters, since each may hold the beginning of another.
_NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n\\]|\\.)*', re.MULTILINE | re.DOTALL)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
_CIMPORT = re.compile(r'^\s*(?:from\s+socket_core\.(\w+)\s+c?import|c?import\s+socket_core\.(\w+))', re.MULTILINE)
_DEFINITION = re.compile(r'^( *)(?:async def|c?p?def)\b(?! class\b)[^=\n]*?(\w+)\(')


@dataclass(frozen=True, slots=True)
class Function:
    """A function's definition: its name, its first line, and how many lines it has, its signature included."""

    name: str
    line: int
    lines: int


def code_of(text: str) -> str:
    """C with its comments, strings and characters blanked out, line by line in the same places."""

    def blank(found: re.Match[str]) -> str:
        inside = ''.join('\n' if character == '\n' else ' ' for character in found[0][1:-1])
        return f'"{inside}"' if found[0][0] in '"\'' else f' {inside} '

    return _NOT_CODE.sub(blank, text)


def includes_of(text: str) -> tuple[list[str], list[str]]:
    """The headers that C includes: our own (`"..."`) and the system's (`<...>`)."""
    found = _INCLUDE.findall(re.sub(r'/\*.*?\*/', '', text, flags=re.DOTALL))
    return [name for kind, name in found if kind == '"'], [name for kind, name in found if kind == '<']


def functions_of(text: str) -> list[Function]:
    """Every function that a C file defines. Macros that are as long as functions count as such."""
    code = code_of(text)
    found = [
        Function(directive[0].split()[1].partition('(')[0], code.count('\n', 0, directive.start()) + 1, lines)
        for directive in _DIRECTIVE.finditer(code)
        if directive[0].lstrip().startswith('#define') and (lines := directive[0].count('\n') + 1) > 1
    ]
    code = _DIRECTIVE.sub(lambda directive: '\n' * directive[0].count('\n'), code)
    depth, start, opened = 0, 0, None
    for place, character in enumerate(code):
        if character == '{':
            if depth == 0:
                opened = place
            depth += 1
        elif character == '}':
            depth -= 1
            if depth == 0 and opened is not None:
                found += _definition(code, start, opened, place)
                start = place + 1
        elif character == ';' and depth == 0:
            start = place + 1
    return sorted(found, key=lambda function: function.line)


def _definition(code: str, start: int, opened: int, closed: int) -> list[Function]:
    """The function whose body is in these braces, or nothing: structures and tables have braces, too."""
    head = code[start:opened]
    if '=' in head or not head.rstrip().endswith(')'):
        return []
    place, depth = len(head.rstrip()), 0
    while depth or head[place - 1] == ')':
        place -= 1
        depth += {')': 1, '(': -1}.get(head[place], 0)
    name = re.search(r'(\w+)\s*$', head[:place])
    begins = start + len(head) - len(head.lstrip())
    first = code.count('\n', 0, begins) + 1
    return [Function(name[1] if name else '?', first, code.count('\n', begins, closed) + 1)]


def cimports_of(text: str) -> set[str]:
    """The modules of the core that a .pyx or .pxd imports or cimports: `{'_packet'}`."""
    return {first or second for first, second in _CIMPORT.findall(text)}


def cython_functions_of(text: str) -> list[Function]:
    """Every function and method that a .pyx defines."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        head = _DEFINITION.match(line)
        if head is None:
            continue
        last = number
        for later in range(number + 1, len(lines)):
            text_of_line = lines[later].strip()
            if not text_of_line:
                continue
            indented = len(lines[later]) - len(lines[later].lstrip()) > len(head[1])
            if not indented and not text_of_line.startswith(')'):
                break
            last = later
        found.append(Function(head[2], number + 1, last - number + 1))
    return found


def own_c(folder: Path) -> list[Path]:
    """The C that is written here: beside a .pyx, C of its name is Cython's."""
    generated = {path.with_suffix('.c') for path in folder.glob('*.pyx')}
    return sorted(path for path in folder.glob('*.[ch]') if path not in generated)
