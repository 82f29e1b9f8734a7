"""Where a datagram comes from or goes to: a small value that is equal, ordered and hashed by what it says.

Text and sockets have many ways to write one address: a capital letter, a zero more, `::ffff:192.0.2.1` for
`192.0.2.1`. Limits for each address, and tables of peers, need one. So an `Address` is made canonical where
it comes in, and from there on it is 24 bytes that compare as bytes; the other compiled modules pass it on as
`address_t` (`_address.h`).

No name is ever looked up: what is not an address in figures is refused.

Source: docs/protocol.md, "Addresses"; RFC 4291 and RFC 5952 for the text of IPv6.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, memcpy

cimport cython

__all__ = ['ADDRESS_BYTES', 'Address', 'AddressError']

cdef extern from '_address.h' nogil:
    int address_read_ip(const char *text, size_t size, uint8_t *ip)
    size_t address_write_ip(const address_t *address, char *text)

cdef extern from 'Python.h':
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

ADDRESS_BYTES = ADDRESS_WIRE_BYTES

cdef int PORT_MAX = 65535
cdef int SCOPE_DIGITS_MAX = 10


class AddressError(ValueError):
    """A text, a number or some bytes are no address; says which and what would be one."""


@cython.final
@cython.freelist(64)
@cython.total_ordering
cdef class Address:
    """An IPv4 or IPv6 address and a port.

    Immutable, hashable, ordered (IPv4 before IPv6, then by number, port and scope), and unpacked as
    `host, port = address`. `str()` gives `host:port`, or `[host]:port` for IPv6; `parse` reads that.

    Args:
        host: a dotted quad, or IPv6 in any of its spellings. A link-local IPv6 address may end in
            `%interface`, by number or by name.
        port: 0 to 65535.
        scope: the interface's number, for a link-local IPv6 address, in place of `%interface`.

    Raises:
        AddressError: `host` is no address, or a number is out of its range.
        TypeError: a value is of the wrong type.
    """

    def __init__(self, host, port, scope=0):
        if self.raw.family:
            raise TypeError('an Address does not change')
        fill(host, port, scope, &self.raw)

    @classmethod
    def parse(cls, text):
        """The address in `host:port` or `[host]:port`: the inverse of `str()`.

        Raises:
            AddressError: it is none.
        """
        if not isinstance(text, str):
            raise TypeError(f'text must be str, not {text.__class__.__name__}')
        host, colon, port = text.rpartition(':')
        bracketed = host.startswith('[') and host.endswith(']')
        if not colon or bracketed != (':' in host) or not is_number(port, 5):
            raise AddressError(f'{text!r} is neither host:port nor [host]:port')
        return Address(host[1:-1] if bracketed else host, int(port))

    @classmethod
    def from_bytes(cls, data):
        """The address in 19 bytes from outside: family (4 or 6), 16 bytes of address, port.

        There is one way only to write an address, so that two spellings of it cannot pass for two peers (F18).

        Raises:
            AddressError: not 19 bytes, another family, IPv4 that is not followed by zeros, or IPv4 as IPv6.
            TypeError: `data` is no buffer.
        """
        cdef Address address = Address.__new__(Address)
        cdef Py_buffer buffer
        PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
        try:
            if buffer.len != ADDRESS_WIRE_BYTES:
                raise AddressError(f'an address has {ADDRESS_WIRE_BYTES} bytes, not {buffer.len}')
            read_wire(<const uint8_t *>buffer.buf, &address.raw)
        finally:
            PyBuffer_Release(&buffer)
        return address

    @property
    def host(self):
        """The address as text, `%` and the interface's number included where there is one."""
        cdef char[ADDRESS_TEXT_BYTES] text
        cdef size_t size = address_write_ip(&self.raw, text)
        host = PyUnicode_DecodeASCII(text, <Py_ssize_t>size, NULL)
        return f'{host}%{self.raw.scope}' if self.raw.scope else host

    @property
    def port(self):
        """The port, 0 to 65535."""
        return self.raw.port

    @property
    def scope(self):
        """The number of the interface of a link-local IPv6 address, else 0."""
        return self.raw.scope

    @property
    def family(self):
        """4 or 6."""
        return self.raw.family

    @property
    def is_loopback(self):
        """127.0.0.0/8 or ::1."""
        return address_is_loopback(&self.raw)

    @property
    def is_private(self):
        """10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918) or fc00::/7 (RFC 4193)."""
        return address_is_private(&self.raw)

    @property
    def is_link_local(self):
        """169.254.0.0/16 or fe80::/10."""
        return address_is_link_local(&self.raw)

    @property
    def is_multicast(self):
        """224.0.0.0/4 or ff00::/8."""
        return address_is_multicast(&self.raw)

    @property
    def is_unspecified(self):
        """0.0.0.0 or ::."""
        return address_is_unspecified(&self.raw)

    @property
    def is_broadcast(self):
        """255.255.255.255. The broadcast address of a subnet cannot be told without its mask."""
        return address_is_broadcast(&self.raw)

    def group(self, bits_v4=24, bits_v6=48):
        """The network group: the family's byte, then the first bits of the address, filled up with zeros.

        Whoever holds one address often holds its whole network, so limits count by these (F12, F18).

        Args:
            bits_v4: how many bits of an IPv4 address, 0 to 32.
            bits_v6: how many of an IPv6 address, 0 to 128.
        """
        cdef uint8_t[17] group
        cdef int v4 = number(bits_v4, 'bits_v4', 32)
        cdef int v6 = number(bits_v6, 'bits_v6', 128)
        cdef size_t size = address_group(&self.raw, <unsigned>v4, <unsigned>v6, group)
        return PyBytes_FromStringAndSize(<const char *>group, <Py_ssize_t>size)

    def with_port(self, port):
        """The same address with another port."""
        cdef Address other = address_of(&self.raw)
        other.raw.port = <uint16_t>number(port, 'port', PORT_MAX)
        return other

    def to_bytes(self):
        """The 19 bytes that `from_bytes` reads. The scope stays here: it means nothing to others."""
        cdef uint8_t[ADDRESS_WIRE_BYTES] wire
        wire[0] = self.raw.family
        memcpy(&wire[1], self.raw.ip, 16)
        wire[17] = <uint8_t>(self.raw.port >> 8)
        wire[18] = <uint8_t>(self.raw.port & 0xFF)
        return PyBytes_FromStringAndSize(<const char *>wire, ADDRESS_WIRE_BYTES)

    def __eq__(self, other):
        if not isinstance(other, Address):
            return NotImplemented
        return address_equal(&self.raw, &(<Address>other).raw)

    def __lt__(self, other):
        if not isinstance(other, Address):
            return NotImplemented
        return before(&self.raw, &(<Address>other).raw)

    def __hash__(self):
        # By way of bytes, whose hash is keyed: others choose addresses, and must not choose where they fall.
        return hash(PyBytes_FromStringAndSize(<const char *>&self.raw, sizeof(address_t)))

    def __iter__(self):
        return iter((self.host, self.port))

    def __reduce__(self):
        return Address, (self.host, self.port)

    def __str__(self):
        return f'[{self.host}]:{self.port}' if self.raw.family == 6 else f'{self.host}:{self.port}'

    def __repr__(self):
        return f'Address({self.host!r}, {self.port})'


cdef bint before(const address_t *one, const address_t *other) noexcept:
    if one.family != other.family:
        return one.family < other.family
    cdef int order = memcmp(one.ip, other.ip, 16)
    if order != 0:
        return order < 0
    return one.port < other.port if one.port != other.port else one.scope < other.scope


cdef Address address_of(const address_t *raw):
    cdef Address address = Address.__new__(Address)
    address.raw = raw[0]
    return address


cdef int fill_address(object value, address_t *raw) except -1:
    if isinstance(value, Address):
        if (<Address>value).raw.family == 0:
            raise AddressError('the address is empty')
        raw[0] = (<Address>value).raw
        return 0
    if not isinstance(value, tuple) or len(<tuple>value) != 2:
        raise TypeError(f'an address is an Address or (host, port), not {value!r:.80}')
    return fill((<tuple>value)[0], (<tuple>value)[1], 0, raw)


cdef int fill(object host, object port, object scope, address_t *raw) except -1:
    """The address of a caller's values."""
    cdef uint8_t[16] ip
    cdef Py_ssize_t size
    if not isinstance(host, str):
        raise TypeError(f'host must be str, not {host.__class__.__name__}')
    cdef uint16_t number_of_port = <uint16_t>number(port, 'port', PORT_MAX)
    figures, percent, interface = host.partition('%')
    if not figures.isascii():
        raise AddressError(f'{host!r:.80} is no address')
    cdef const char *text = PyUnicode_AsUTF8AndSize(figures, &size)
    cdef int family = address_read_ip(text, <size_t>size, ip)
    if family == 0:
        raise AddressError(f'{host!r:.80} is neither an IPv4 nor an IPv6 address; names are not looked up')
    cdef uint32_t number_of_scope = scope_of(scope, percent, interface)
    if number_of_scope and (family == 4 or not address_ip_has_scope(ip)):
        raise AddressError(f'{host!r:.80} means the same on every interface: only link-local addresses have a scope')
    if family == 4:
        address_set_v4(raw, ip, number_of_port)
    else:
        address_set_v6(raw, ip, number_of_port, number_of_scope)
    return 0


cdef uint32_t scope_of(object scope, str percent, str interface) except? 0xFFFFFFFF:
    """The number of an interface, given by number, in the host as number or as name; 0 for none."""
    if not isinstance(scope, int):
        raise TypeError(f'scope must be int, not {scope.__class__.__name__}')
    if not 0 <= scope <= 0xFFFFFFFF:
        raise AddressError('scope must be 0 to 4294967295')
    if not percent:
        return <uint32_t>scope
    if scope:
        raise AddressError('the scope is given twice')
    if is_number(interface, SCOPE_DIGITS_MAX):
        value = int(interface)
    else:
        # Seldom wanted, and `socket` is dear to import.
        from socket import if_nametoindex
        try:
            value = if_nametoindex(interface)
        except (OSError, ValueError) as error:
            raise AddressError(f'there is no interface {interface!r:.80}') from error
    if not 0 < value <= 0xFFFFFFFF:
        raise AddressError(f'there is no interface {interface!r:.80}')
    return <uint32_t>value


cdef bint is_number(str text, Py_ssize_t digits) except -1:
    """Whether a text is a number of so many digits at most; without sign, space or leading zero."""
    if not text.isascii() or not text.isdigit() or len(text) > digits:
        return False
    return text == '0' or not text.startswith('0')


cdef int number(object value, str name, int most) except -1:
    if not isinstance(value, int):
        raise TypeError(f'{name} must be int, not {value.__class__.__name__}')
    if not 0 <= value <= most:
        raise AddressError(f'{name} must be 0 to {most}')
    return value


cdef int read_wire(const uint8_t *wire, address_t *raw) except -1:
    """The address of 19 bytes from outside."""
    cdef uint16_t port = <uint16_t>(wire[17] << 8 | wire[18])
    cdef int index
    if wire[0] == 4:
        for index in range(5, 17):
            if wire[index]:
                raise AddressError('an IPv4 address is followed by zeros')
        address_set_v4(raw, wire + 1, port)
    elif wire[0] == 6:
        if address_ip_is_mapped(wire + 1):
            raise AddressError('an IPv4 address is written as one, not as IPv6')
        address_set_v6(raw, wire + 1, port, 0)
    else:
        raise AddressError(f'the family is 4 or 6, not {wire[0]}')
    return 0
