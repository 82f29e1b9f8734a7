"""What some runs need on Python's side: each function adds to the app under test before it runs."""

from __future__ import annotations
