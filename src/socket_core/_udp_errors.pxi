# Errors: one function makes them all, of the codes of libuv, which are the same on every system.


# How what the system refuses can be mended, for those who can do something about it.
ADVICE = {
    'EACCES': 'set broadcast=True for a broadcast address; ports below 1024 need a privilege; or a firewall forbids it',
    'EADDRINUSE': 'another socket has it: use port 0 for a free one, or reuse_address or reuse_port on both',
    'EADDRNOTAVAIL': 'no interface of this machine has this address: use 0.0.0.0 or :: for all of them',
    'EAFNOSUPPORT': 'an IPv4 socket reaches IPv4 only, and an IPv6 socket reaches both if it is bound to :: and not '
                    'ipv6_only',
    'EDESTADDRREQ': 'give an address, or connect() first',
    'EMFILE': 'this process has too many open files: close some, or raise `ulimit -n`',
    'EMSGSIZE': 'a datagram has at most 65,507 bytes, and no more than the network takes where it may not be split',
    'ENFILE': 'the system has too many open files',
    'ENETUNREACH': 'there is no route: is the network up, and does it have this family of addresses?',
    'ENOBUFS': 'the system has no memory for it, or the queue of the interface is full: send more slowly',
    'ENODEV': 'there is no such interface: give its name, its number or one of its addresses',
}


class UdpError(OSError):
    """The system refused something. Its text says what can be done about it.

    Attributes:
        errno: the number, as in the module `errno`.
        strerror: the text.
        name: the number's name, the same on every system: `'EADDRINUSE'`.
    """

    @property
    def name(self):
        import errno

        found = errno.errorcode.get(self.errno, 'UNKNOWN')
        return found.removeprefix('WSA')


class ClosedError(UdpError):
    """The handle or the loop is closed. `errno` is EBADF.

    In the child of a fork, all that was open in the parent is closed.
    """


class LoopError(RuntimeError):
    """A loop cannot be had, or does not end. The text says why."""


cdef str name_of(int code):
    """libuv's name for one of its codes."""
    # Not uv_err_name, which leaks some bytes for each code that it does not know.
    cdef char[64] name
    return uv_err_name_r(code, name, sizeof(name)).decode()


cdef object error_of(int code, str doing, object kind=UdpError):
    """The exception for a code of libuv."""
    import errno

    cdef str name = name_of(code)
    cdef char[128] said
    cdef str text = f'{doing}: {uv_strerror_r(code, said, sizeof(said)).decode()} ({name})'
    if name in ADVICE:
        text = f'{text}; {ADVICE[name]}'
    return kind(getattr(errno, name, abs(code)), text)


cdef object closed_error(str what):
    """For something that is closed.

    Where the interpreter has closed it, since it ends, a thread that still uses it ends, too, and quietly.
    """
    if ending and not in_main_thread():
        return SystemExit()
    return error_of(UV_EBADF, f'{what} is closed', ClosedError)


cdef int check(int code, str doing) except -1:
    """Raise what `code` stands for, if it is an error."""
    if code == UV_EBADF or code == UV_ECANCELED:
        raise closed_error(f'{doing}: the handle')
    if code < 0:
        raise error_of(code, doing)
    return 0
