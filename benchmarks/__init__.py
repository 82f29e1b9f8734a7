"""The benchmarks: our side and its peers, side by side in one run. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

# What is measured is this tree, not what may be installed elsewhere.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'src'))
