"""Notes: a small app with files and search. The pages call these commands, if their policy lets them.

Run it with ``ssc run examples/notes``, or ``python examples/notes/notes.py``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from socket_runtime import App, Call, NotFound

#: A note's name is its file's name: letters, digits, spaces and a few marks.
Name = Annotated[str, Meta(pattern=r'^[\w][\w ,.!()-]{0,79}$')]
Text = Annotated[str, Meta(max_length=1_000_000)]


@dataclass(frozen=True, slots=True)
class Note:
    """What a list shows of a note. ``modified`` is in seconds since 1970."""

    name: str
    modified: float
    words: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that was found."""

    name: str
    line: int
    text: str


def make_app(folder: Path | None = None) -> App:
    """The app, with its notes in ``folder`` (the app's own data folder by default)."""
    app = App.from_project(Path(__file__).parent)
    notes = folder or app.folder('DATA') / 'notes'
    notes.mkdir(parents=True, exist_ok=True)

    def path_of(name: str) -> Path:
        return notes / f'{name}.md'

    def describe(path: Path) -> Note:
        return Note(path.stem, path.stat().st_mtime, len(path.read_text('utf-8').split()))

    @app.command('notes.list')
    def list_notes() -> list[Note]:
        """All notes, newest first."""
        return sorted(map(describe, notes.glob('*.md')), key=lambda note: -note.modified)

    @app.command('notes.read')
    def read(name: Name) -> str:
        """The text of one note."""
        try:
            return path_of(name).read_text('utf-8')
        except FileNotFoundError:
            raise NotFound(f'there is no note {name!r}') from None

    @app.command('notes.save')
    def save(name: Name, text: Text) -> Note:
        """Write a note; every window hears of it."""
        draft = notes / f'.{name}.{time.monotonic_ns()}'
        draft.write_text(text, 'utf-8')
        draft.replace(path_of(name))  # at every moment the note is either the old one or the new one
        note = describe(path_of(name))
        app.emit('notes-changed', {'name': name})
        return note

    @app.command('notes.remove')
    def remove(name: Name) -> None:
        """Delete a note."""
        path_of(name).unlink(missing_ok=True)
        app.emit('notes-changed', {'name': name})

    @app.command('notes.search')
    def search(call: Call, words: Annotated[str, Meta(min_length=1, max_length=200)]) -> Iterator[Hit]:
        """Lines that contain all the words, one by one as they are found."""
        wanted = [re.compile(re.escape(word), re.IGNORECASE) for word in words.split()]
        for path in sorted(notes.glob('*.md')):
            for number, line in enumerate(path.read_text('utf-8').splitlines(), 1):
                if call.is_cancelled:
                    return
                if all(pattern.search(line) for pattern in wanted):
                    yield Hit(path.stem, number, line.strip()[:200])

    return app


if __name__ == '__main__':
    raise SystemExit(make_app().run())
