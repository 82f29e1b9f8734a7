"""End-to-end: real windows."""
