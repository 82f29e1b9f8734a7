# Handles: what the loop works on, as objects. They ask the loop, and hold nothing of it but a counted reference.


cdef uint64_t NEVER = UINT64_MAX
# Longer than any program runs, and short enough to be counted in milliseconds by libuv.
cdef double LONGEST_DELAY = 1e9


@cython.auto_pickle(False)
cdef class Handle:
    """What is open in a loop: a `UdpSocket` or a `Timer`. This is the law of their lives:

    * A handle goes from opening to open, closing and closed, and never back. When the constructor returns it is open,
      and what the system refused has been raised. (In a loop of pyuv it opens when that loop runs.)
    * `close()` may be called from any thread, at any time, any number of times; it returns at once. From then on
      `closed` is true, every other call raises `ClosedError`, and what other threads had begun is finished first.
    * The loop's thread alone closes the descriptor, and gives back the memory when libuv has said that it is done.
      Then comes the event `Closed`, and after it nothing from this handle, ever.
    * A handle that is dropped while it is open is closed, with a `ResourceWarning`, which says where it was made if
      Python runs in development mode (`-X dev`) or traces allocations (`-X tracemalloc`). The loop does not keep it.
    * Handles are counted (`handles_alive()`), and the count goes to zero.
    """

    def __init__(self, *args, **kwargs):
        raise TypeError(f'{self.__class__.__name__} cannot be made: make a UdpSocket or a Timer')

    @property
    def number(self):
        """What it is called in its loop, 1 and up; never given twice."""
        return handle_number(self.raw) if self.raw is not NULL else 0

    @property
    def loop(self):
        """The `Loop` that it belongs to."""
        return self.home

    @property
    def closed(self):
        """Whether it has been closed, or is being closed."""
        return self.raw is NULL or handle_is_closing(self.raw)

    def close(self):
        """Close it; the event `Closed` says when that is done, and the loop keeps this object until then.

        What a socket had queued is not sent any more.
        """
        if self.raw is NULL or handle_is_closing(self.raw):
            return
        cdef Loop home = self.home
        cdef uint32_t number = handle_number(self.raw)
        with home.reading:
            if number in home.handles:
                home.handles[number] = self
        handle_close(self.raw)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()

    def __del__(self):
        if self.raw is NULL or handle_is_closing(self.raw):
            return
        handle_close(self.raw)
        warn_of(self, f', made at {self.made_at}' if self.made_at else '')

    def __dealloc__(self):
        if self.raw is not NULL:
            handle_release(self.raw)

    cdef int alive(self) except -1:
        """Raise ClosedError if it is closed. It may be closed the moment after: the C below looks again."""
        if self.raw is NULL or handle_is_closing(self.raw):
            raise closed_error(self.__class__.__name__)
        return 0

    cdef int begin(self, Loop loop) except -1:
        """Before it is made: once only, and in a loop."""
        if self.raw is not NULL or self.home is not None:
            raise TypeError(f'this {self.__class__.__name__} has been made already')
        if loop is None:
            raise TypeError('loop must be a Loop, not None')
        loop.alive()
        self.home = loop
        if sys.flags.dev_mode:
            frame = sys._getframe()
            self.made_at = f'{frame.f_code.co_filename}:{frame.f_lineno}'
        return 0


cdef uint64_t milliseconds(object seconds, str name) except? 0xFFFFFFFFFFFFFFFF:
    """Rounded up, so that nothing is early."""
    cdef double value
    if not isinstance(seconds, (int, float)):
        raise TypeError(f'{name} must be a number, not {seconds.__class__.__name__}')
    value = seconds
    if not 0.0 <= value <= LONGEST_DELAY:
        raise ValueError(f'{name} must be 0 to {LONGEST_DELAY:.0f} seconds')
    return <uint64_t>ceil(value * 1000.0)


@cython.final
@cython.auto_pickle(False)
cdef class Timer(Handle):
    """Gives a `Fired` event after `delay` seconds, and then every `repeat` seconds, if that is not 0.

    It never fires early; it counts in milliseconds, and a timer that is due when the loop is busy fires once then.

    Args:
        loop: the `Loop`.
        delay: seconds.
        repeat: seconds; 0: once only.

    Raises:
        ValueError: less than 0, or more than 1e9.
        ClosedError: the loop is closed.
    """

    def __init__(self, Loop loop, delay, repeat=0.0):
        cdef uint64_t delay_ms = milliseconds(delay, 'delay')
        cdef uint64_t repeat_ms = milliseconds(repeat, 'repeat')
        cdef engine_t *engine
        cdef handle_t *made = NULL
        cdef int code
        self.begin(loop)
        engine = loop.engine
        reference = PyWeakref_NewRef(self, None)
        with loop.reading:
            with nogil:
                code = timer_new(engine, delay_ms, repeat_ms, &made)
            if code == 0:
                self.raw = made
                loop.handles[handle_number(made)] = reference
        check(code, 'timer')

    def again(self, delay, repeat=0.0):
        """Start anew: what was set before is forgotten.

        Args:
            delay, repeat: as for the constructor, and they raise the same.
        """
        cdef uint64_t delay_ms = milliseconds(delay, 'delay')
        cdef uint64_t repeat_ms = milliseconds(repeat, 'repeat')
        self.alive()
        timer_set(self.raw, delay_ms, repeat_ms)

    def stop(self):
        """Do not fire any more, until `again`. A firing that is on its way may still come."""
        self.alive()
        timer_set(self.raw, NEVER, 0)

    def __repr__(self):
        return f'<Timer {self.number}{" closed" if self.closed else ""}>'
