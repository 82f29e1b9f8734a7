"""Names that strangers choose, and that end up in logs and on screens."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

__all__ = ['is_plain']

# Controls, formats (which turn the direction of what follows), surrogates, line and paragraph separators.
_REFUSED: Final = frozenset({'Cc', 'Cf', 'Cs', 'Zl', 'Zp'})
# Formats that Persian, Indian scripts and families of emoji are written with.
_JOINERS: Final = frozenset('\u200c\u200d')


def is_plain(text: Any, limit: int) -> bool:
    """Whether this is a text of 1 to ``limit`` bytes of UTF-8 that stays on its line (F28)."""
    if type(text) is not str or not 0 < len(text) <= limit:
        return False
    if text.isascii():
        return text.isprintable()
    if any(unicodedata.category(each) in _REFUSED and each not in _JOINERS for each in text):
        return False
    return len(text.encode('utf-8')) <= limit
