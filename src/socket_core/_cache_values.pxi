# What a cache gives away: copies of packets, numbers, summaries. Part of _cache.pyx.

cdef extern from '_store_summary.h' nogil:
    void summary_sort(store_prefix_t *ids, store_prefix_t *spare, size_t count)
    size_t summary_place(const store_prefix_t *ids, size_t count, const uint8_t *bound, size_t bound_bytes)
    void summary_fingerprint(const store_prefix_t *ids, size_t count, const uint8_t *key, uint8_t *fingerprint)
    size_t summary_bound_bytes(const store_prefix_t *before, const store_prefix_t *after)


@cython.final
@cython.auto_pickle(False)
cdef class Cached:
    """A cached packet, as it was when it was asked for."""

    cdef readonly Packet packet
    cdef readonly int kind
    cdef readonly int postage
    cdef readonly double expires

    def __init__(self, *args, **kwargs):
        raise TypeError('a Cached is made by a Cache')

    @property
    def id(self):
        """The packet's id, 32 bytes."""
        return self.packet.id

    @property
    def hops(self):
        """The fewest hops that it was seen with, at most 17."""
        return self.packet.hops

    def __repr__(self):
        return f'<Cached {self.packet!r} kind={self.kind} postage={self.postage}>'


cdef Cached cached_of(const store_packet_t *found):
    cdef Cached cached = Cached.__new__(Cached)
    cached.packet = view(PyBytes_FromStringAndSize(<const char *>found.frame, found.size))
    cached.kind = found.kind
    cached.postage = <int>found.postage
    cached.expires = <double>found.expires_ms / 1000
    return cached


@cython.final
@cython.auto_pickle(False)
cdef class CacheStats:
    """The numbers of a cache at one moment."""

    cdef store_stats_t raw

    def __init__(self, *args, **kwargs):
        raise TypeError('CacheStats are made by a Cache')

    @property
    def packets(self):
        """Packets in the cache, of all kinds."""
        return self.raw.packets

    @property
    def own(self):
        """Own packets in the cache."""
        return self.raw.own

    @property
    def cluster(self):
        """Packets of own clusters in the cache."""
        return self.raw.cluster

    @property
    def foreign(self):
        """All other packets in the cache."""
        return self.raw.foreign

    @property
    def frame_bytes(self):
        """The bytes of their frames, alone."""
        return self.raw.frame_bytes

    @property
    def used_bytes(self):
        """All memory that the cache uses, indexes and all, in bytes; never more than the budget."""
        return self.raw.used_bytes

    @property
    def sources(self):
        """Sources that packets in the cache count against."""
        return self.raw.sources

    @property
    def groups(self):
        """Network groups of those sources."""
        return self.raw.groups

    @property
    def inserted(self):
        """Insertions that ended with `KEPT`, ever."""
        return self.raw.inserted

    @property
    def known(self):
        """Insertions that ended with `KNOWN`, ever."""
        return self.raw.known

    @property
    def refused(self):
        """Insertions that ended with `REFUSED`, ever."""
        return self.raw.refused

    @property
    def evicted(self):
        """Packets that made room for others, ever."""
        return self.raw.evicted

    @property
    def expired(self):
        """Packets whose last term ended, ever."""
        return self.raw.expired

    @property
    def removed(self):
        """Packets that `remove` took out, ever."""
        return self.raw.removed

    def __repr__(self):
        return f'<CacheStats packets={self.raw.packets} used_bytes={self.raw.used_bytes} evicted={self.raw.evicted}>'


@cython.final
@cython.auto_pickle(False)
cdef class Summary:
    """The beginnings of the ids that a cache had at one moment, sorted: what reconciliation asks about.

    A range is from `low` on, up to `high` and without it; each is the beginning of an id, 0 to 14 bytes (as if zeros
    followed), and `high` is None for the end. It takes 14 bytes an id, beside the cache's budget.
    """

    cdef store_prefix_t *sorted
    cdef size_t total

    def __init__(self, *args, **kwargs):
        raise TypeError('a Summary is made by Cache.summary()')

    def __dealloc__(self):
        PyMem_RawFree(self.sorted)

    def __len__(self):
        return <Py_ssize_t>self.total

    cdef size_t place(self, object bound, str name) except? <size_t>-1:
        if not isinstance(bound, bytes):
            raise TypeError(f'{name} must be bytes, not {bound.__class__.__name__}')
        cdef Py_ssize_t size = PyBytes_GET_SIZE(bound)
        if size > STORE_PREFIX_BYTES:
            raise ValueError(f'{name} must be at most {STORE_PREFIX_BYTES} bytes long')
        return summary_place(self.sorted, self.total, <const uint8_t *>PyBytes_AS_STRING(bound), <size_t>size)

    cdef int range_of(self, object low, object high, size_t *first, size_t *last) except -1:
        """The places of the first id in the range and of the first behind it."""
        first[0] = self.place(low, 'low')
        last[0] = self.total if high is None else self.place(high, 'high')
        last[0] = max(first[0], last[0])
        return 0

    def count(self, low=b'', high=None):
        """How many ids there are in a range.

        Raises:
            ValueError: a bound is longer than 14 bytes.
        """
        cdef size_t first, last
        self.range_of(low, high, &first, &last)
        return last - first

    def fingerprint(self, key, low=b'', high=None):
        """The fingerprint of a range, 16 bytes: two caches that have it in common have the same ids there.

        It is the sum modulo 2**128, little-endian, of SipHash-2-4-128 of each id's first 14 bytes under `key`; zeros
        where there are none. It takes some 15 ns an id; other threads run meanwhile.

        Args:
            key: 16 random bytes, drawn anew for each session by the side that asks.

        Raises:
            ValueError: the key is not 16 bytes long, or a bound is longer than 14.
        """
        cdef size_t first, last
        cdef uint8_t[16] fingerprint
        cdef const uint8_t *secret
        if not isinstance(key, bytes):
            raise TypeError(f'key must be bytes, not {key.__class__.__name__}')
        if PyBytes_GET_SIZE(key) != KEY_BYTES:
            raise ValueError(f'key must be {KEY_BYTES} bytes long')
        self.range_of(low, high, &first, &last)
        secret = <const uint8_t *>PyBytes_AS_STRING(key)
        with nogil:
            summary_fingerprint(self.sorted + first, last - first, secret, fingerprint)
        return PyBytes_FromStringAndSize(<const char *>fingerprint, sizeof(fingerprint))

    def split(self, parts, low=b'', high=None):
        """The bounds between parts of a range that have about as many ids each.

        Args:
            parts: 1 to 4096; there are fewer where there are fewer ids.

        Returns:
            At most `parts` - 1 bounds, in order, each as short as it can be to tell the ids on its two sides apart.

        Raises:
            ValueError: `parts` is out of its range, or a bound is longer than 14 bytes.
        """
        cdef size_t first, last, part, at, length, count = <size_t>whole(parts, 'parts', 1, PARTS_MAX)
        self.range_of(low, high, &first, &last)
        count = min(count, last - first)
        bounds = []
        for part in range(1, count):
            at = first + part * (last - first) // count
            length = summary_bound_bytes(&self.sorted[at - 1], &self.sorted[at])
            bounds.append(PyBytes_FromStringAndSize(<const char *>self.sorted[at].bytes, <Py_ssize_t>length))
        return bounds

    def ids(self, low=b'', high=None, limit=4096):
        """The ids in a range, the first 14 bytes of each, in order; the first `limit` of them.

        Raises:
            ValueError: `limit` is negative, or a bound is longer than 14 bytes.
        """
        cdef size_t first, last, at, most = <size_t>whole(limit, 'limit', 0, 1 << 32)
        self.range_of(low, high, &first, &last)
        last = min(last, first + most)
        return [
            PyBytes_FromStringAndSize(<const char *>self.sorted[at].bytes, STORE_PREFIX_BYTES)
            for at in range(first, last)
        ]

    def __repr__(self):
        return f'<Summary of {self.total} ids>'
