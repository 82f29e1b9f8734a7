"""The version, in the one place that everything else reads (packaging, ``ssc --version``, the page's config)."""

from __future__ import annotations

__all__ = ['__version__']

__version__ = '0.1.0.dev0'
