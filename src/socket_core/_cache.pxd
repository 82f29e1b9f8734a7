"""What other compiled modules may `cimport`: the store behind a Cache."""

cdef extern from '_store.h' nogil:
    ctypedef struct store_t:
        pass


cdef class Cache:
    # Alive as long as the Cache is; hold store_lock() around every call.
    cdef store_t *store
