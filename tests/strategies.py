"""What the property tests draw from: names, URIs, policies, pages, packets and addresses, well-formed and almost so."""

from __future__ import annotations

import html
import ipaddress
import string
from typing import Any
from urllib.parse import quote

from hypothesis import settings
from hypothesis import strategies as st

# A shared machine pauses for longer than hypothesis' 200 ms now and then; pytest's own limit remains.
settings.register_profile('shared-machine', deadline=None)
settings.load_profile('shared-machine')

LETTERS = string.ascii_letters
LABEL_CHARS = string.ascii_letters + string.digits + '-'

#: Canonical names of a made-up runtime; no two differ in case only.
COMMANDS = (
    'console.write',
    'fs.readFile',
    'fs.writeFile',
    'fs.watch',
    'fs.promises.open',
    'net.connect',
    'notes.list',
    'os.uptime',
    'ping',
)


def labels(extra: str = '') -> st.SearchStrategy[str]:
    """One part of a command's name; ``extra`` characters are allowed after the first."""
    return st.builds(str.__add__, st.sampled_from(LETTERS), st.text(LABEL_CHARS + extra, max_size=12))


def command_names(extra: str = '') -> st.SearchStrategy[str]:
    """Names that a policy can state; with ``extra='_'`` all that a call can."""
    made_up = st.lists(labels(extra), min_size=1, max_size=4).map('.'.join)
    return st.sampled_from(COMMANDS) | made_up


def text_values() -> st.SearchStrategy[str]:
    """Arguments: any text that UTF-8 can carry, without NUL."""
    return st.text(st.characters(exclude_categories=['Cs'], exclude_characters='\0'), max_size=40)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, str, dict[str, str], str]:
    """``(uri, command, arguments, seq)``, encoded as ``encodeURIComponent`` would."""
    command = draw(command_names('_'))
    arguments = draw(
        st.dictionaries(labels('_').filter(lambda name: name not in ('seq', 'index')), text_values(), max_size=4)
    )
    seq = draw(st.just('') | st.text(LABEL_CHARS + '_', min_size=1, max_size=32))
    pairs = [f'{name}={quote(value, safe="!~*()" + chr(39))}' for name, value in arguments.items()]
    if seq:
        pairs.insert(draw(st.integers(0, len(pairs))), f'seq={seq}')
    if draw(st.booleans()):
        pairs.append(f'index={draw(st.integers(0, 9999))}')
    slash = draw(st.sampled_from(['', '/']))
    return f'ipc://{command}{slash}' + ('?' + '&'.join(pairs) if pairs else ''), command, arguments, seq


#: Parts that URIs are put together from, with those that mean something elsewhere.
URI_PARTS = (
    'ipc://', 'ipc:', 'IPC://', 'socket://', 'socket:', 'file:', 'http://', 'fs', '.', 'readFile', 'fs.readFile',
    'com.example.app', '/', '//', '\\', '..', '%2e', '%2E%2e', '%2f', '%5c', '%252e', '%25', '%', '%0', '%00', '%ff',
    '%c0%ae', '%ed%a0%80', '%e2%82%ac', '?', '&', '=', '#', '+', ':', '@', ':80', 'seq=1', 'index=0', 'a=b', '__x__',
    ' ', '\t', '\n', '\0', 'é', '\u2028', '\U0001f600', '~1', 'CON', 'aux.txt', 'a.', 'index.html', 'C:', '[', '*',
)  # fmt: skip


def odd_uris() -> st.SearchStrategy[str]:
    """Anything, and what is nearly a URI of ours."""
    return st.text(max_size=30) | st.lists(st.sampled_from(URI_PARTS), max_size=10).map(''.join)


SOURCES = (
    "'self'", "'none'", "'NONE'", '*', 'ipc:', 'IPC:', 'ipc://*', 'ipc://*:*', 'ipc://*.readFile', 'ipc://*.fs',
    'ipc://*.*', 'ipc://fs.*', 'IPC://FS.*', 'ipc://fs.promises.*', 'ipc://nothing.*', 'ipc://fs.readFile',
    'ipc://FS.readfile', 'ipc://fs.readFile/', 'ipc://fs.readFile/*', 'ipc://fs.readFile:80', 'ipc://fs.readFile:*',
    'ipc:fs.readFile', 'ipc://fs/readFile', 'ipc://fs.read_file', 'ipc://ping', 'ipc://', 'ipc:/', 'fs.readFile',
    'socket:', 'https:', 'data:', 'wss://example.com', "'unsafe-inline'", "'nonce-abc'", "'report-sample'",
    'https://example.com/a?b=1&copy=2', 'ipc://x\x0b.*', 'é', 'ipc://fs.*é', '"quoted"',
)  # fmt: skip
DIRECTIVES = (
    'connect-src', 'Connect-Src', 'default-src', 'DEFAULT-SRC', 'script-src', 'img-src', 'style-src', 'sandbox',
    'frame-ancestors', 'report-uri', 'upgrade-insecure-requests', 'connect_src', 'éconnect-src', '',
)  # fmt: skip
SPACE = ('\t', '\n', '\x0c', '\r', ' ', '  ')


@st.composite
def directives(draw: st.DrawFn) -> str:
    """One directive with its white space."""
    parts = [draw(st.sampled_from(('', *SPACE))), draw(st.sampled_from(DIRECTIVES))]
    for source in draw(st.lists(st.sampled_from(SOURCES), max_size=5)):
        parts += [draw(st.sampled_from(SPACE)), source]
    return ''.join(parts) + draw(st.sampled_from(('', *SPACE)))


def policies() -> st.SearchStrategy[str]:
    """One serialized policy, mostly meaningful, sometimes any text."""
    return st.lists(directives(), max_size=4).map(';'.join) | st.text(max_size=40).map(lambda t: t.replace(',', ''))


def policy_lists() -> st.SearchStrategy[str]:
    """Several policies, as in a header."""
    return st.lists(policies(), max_size=3).map(','.join)


#: Parts that pages are put together from: everything that moves a tokenizer or ends the head.
PAGE_PARTS = (
    '<!doctype html>', '<html>', '<head>', '</head>', '<body>', '</body>', '</html>', '<br>', '</br>', '</p>', '<p>',
    '<title>', '</title>', '<style>', '</style>', '<script>', '</script>', '<script/>', '<noscript>', '</noscript>',
    '<template>', '</template>', '<template/>', '<noframes>', '</noframes>', '<textarea>', '</textarea>', '<link>',
    '<base>', '<meta charset=utf-8>', '<iframe>', '</iframe>', '<plaintext>', '<frameset>', '<xmp>', '</xmp>',
    '<!--', '-->', '--!>', '<!-->', '<!--->', '<!', '<?xml', '</', '</ >', '>', '<', '&', '&#32;', '&#x20', '&nbsp;',
    ' ', '\n', '\x0c', 'text', '"', "'", '=', '<![CDATA[', ']]>', '<a b="', '<meta ', '<META/http-equiv=x ', '\0',
    '<script>x</script>', '<title>x</title>', '<svg>', '</svg>', '<select>', '</SCRIPT x="', '<!-- <script> -->',
)  # fmt: skip


@st.composite
def policy_metas(draw: st.DrawFn) -> str:
    """A ``<meta>`` that states a policy, in some spelling; the content is escaped at random."""
    content = draw(policy_lists())
    name = draw(st.sampled_from(('http-equiv', 'HTTP-EQUIV', 'Http-Equiv')))
    value = draw(st.sampled_from(('Content-Security-Policy', 'content-security-policy', 'Content&#45;Security-Policy')))
    quote_mark = draw(st.sampled_from(('"', "'")))
    written = html.escape(content, quote=True) if draw(st.booleans()) else content.replace(quote_mark, '')
    attributes = [f'{name}="{value}"', f'content={quote_mark}{written}{quote_mark}']
    if draw(st.booleans()):
        attributes.reverse()
    return f'<meta {draw(st.sampled_from((" ", "/", chr(10)))).join(attributes)}{draw(st.sampled_from(("", "/")))}>'


def pages() -> st.SearchStrategy[bytes]:
    """Pages: sane ones with policies in the head, and heaps of parts."""
    heap = st.lists(st.sampled_from(PAGE_PARTS) | policy_metas(), max_size=12).map(''.join)
    sane = st.lists(policy_metas(), max_size=3).map(
        lambda metas: f'<!doctype html><html><head><meta charset="utf-8">{"".join(metas)}<title>é</title></head><body>'
    )
    return (heap | sane).map(lambda text: text.encode('utf-8', 'surrogatepass')) | st.binary(max_size=40)


def json_values() -> st.SearchStrategy[Any]:
    """Any value that JSON can carry."""
    return st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | text_values(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text_values(), inner, max_size=4),
        max_leaves=10,
    )


def u32s() -> st.SearchStrategy[int]:
    """Numbers of the frame."""
    return st.integers(0, 2**32 - 1)


def packet_ids() -> st.SearchStrategy[bytes]:
    """Ids of packets, clusters and recipients."""
    return st.binary(min_size=32, max_size=32)


def frame_fields() -> st.SearchStrategy[dict[str, Any]]:
    """What ``encode`` takes, by name."""
    return st.fixed_dictionaries(
        {
            'type': st.integers(1, 10),
            'hops': u32s(),
            'clock': u32s(),
            'index': u32s(),
            'cluster': packet_ids(),
            'previous_id': packet_ids(),
            'next_id': packet_ids(),
            'to': packet_ids(),
            'message': st.binary(max_size=1024),
        }
    )


def odd_datagrams() -> st.SearchStrategy[bytes]:
    """Anything, and what is nearly a frame: by its length, its type or its version."""
    beginnings = st.builds(lambda kind, version: bytes((kind, version)), st.integers(0, 12), st.integers(0, 2))
    sizes = st.sampled_from((0, 1, 138, 139, 140, 141, 142, 1163, 1164, 1165, 1166))
    return st.binary(max_size=1400) | st.builds(lambda head, size: head + bytes(size), beginnings, sizes)


#: Networks of which an address means something special.
NETWORKS_V4 = ('0.0.0.0/8', '10.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '172.32.0.0/12',
               '192.168.0.0/16', '224.0.0.0/4', '255.255.255.255/32', '0.0.0.0/0')  # fmt: skip
NETWORKS_V6 = ('::/126', '::ffff:0:0/96', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8', '64:ff9b::/96',
               '2001:db8::/112', '::/0')  # fmt: skip


def ip_addresses() -> st.SearchStrategy[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Addresses of every kind, those with many zeros among them."""
    networks = st.sampled_from([ipaddress.ip_network(text) for text in NETWORKS_V4 + NETWORKS_V6])

    def inside(network: Any) -> st.SearchStrategy[Any]:
        numbers = st.integers(0, network.num_addresses - 1)
        sparse = st.sampled_from((0, 1, 0xFFFF, 0xFFFF << 48, 0xFF0000FF << 32)).map(
            lambda mask: mask & network.num_addresses - 1
        )
        return (numbers | sparse).map(lambda number: network[number])

    return networks.flatmap(inside)


def ports() -> st.SearchStrategy[int]:
    """Ports, 0 among them."""
    return st.integers(0, 65535)


def odd_hosts() -> st.SearchStrategy[str]:
    """Anything, and what is nearly an address in figures."""
    heap = st.text('0123456789abcdefF:.%g []', max_size=24) | st.text(max_size=12)
    spellings = ip_addresses().flatmap(lambda ip: st.sampled_from((ip.exploded, ip.compressed, ip.compressed.upper())))

    @st.composite
    def damaged(draw: st.DrawFn) -> str:
        text = draw(spellings)
        place = draw(st.integers(0, len(text)))
        removed = draw(st.integers(0, 2))
        return text[:place] + draw(st.text('0123456789abcdef:.', max_size=2)) + text[place + removed :]

    return heap | spellings | damaged()
