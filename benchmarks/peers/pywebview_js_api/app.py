"""A plain pywebview application, as its documentation shows one."""

from __future__ import annotations

import base64
import sys

import webview


class Api:
    """What the page may call."""

    def echo(self, x: int) -> int:
        """The small call."""
        return x

    def post(self, text: str) -> str:
        """A body that comes back."""
        return text

    def read(self, size: int) -> str:
        """``size`` bytes; only text can pass, so base64."""
        return base64.b64encode(bytes(size)).decode('ascii')

    def upload(self, text: str) -> int:
        """How many bytes came."""
        return len(base64.b64decode(text))

    def flood(self, count: int) -> None:
        """``count`` events, by its way of running a script without an answer."""
        window = webview.windows[0]
        for n in range(count):
            window.run_js(f"dispatchEvent(new CustomEvent('tick', {{ detail: {n} }}))")

    def report(self, line: str) -> None:
        """A line to standard output, where the harness reads."""
        print(line, flush=True)


HELLO = """<!doctype html><meta charset="utf-8"><title>Hello</title><h1>Hello</h1><script>
addEventListener('DOMContentLoaded', () => {
  const line = 'DCL ' + Date.now()
  addEventListener('pywebviewready', () => window.pywebview.api.report(line))
})
</script>"""


def main() -> None:
    """Show the page named on the command line."""
    page = sys.argv[1]
    if page == 'hello':
        html = HELLO
    else:
        from benchmarks.peers.pywebview_js_api import html as measuring

        html = measuring(page)
    webview.create_window('Hello', html=html, js_api=Api())
    webview.start()


if __name__ == '__main__':
    main()
