"""What other compiled modules may `cimport`: the canonical address and its Python object."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t


cdef extern from '_address.h' nogil:
    enum:
        ADDRESS_WIRE_BYTES
        ADDRESS_TEXT_BYTES

    ctypedef struct address_t:
        uint8_t family
        uint8_t reserved
        uint16_t port
        uint32_t scope
        uint8_t ip[16]

    bint address_equal(const address_t *one, const address_t *other)
    void address_set_v4(address_t *address, const uint8_t *ip, uint16_t port)
    void address_set_v6(address_t *address, const uint8_t *ip, uint16_t port, uint32_t scope)
    bint address_ip_has_scope(const uint8_t *ip)
    bint address_ip_is_mapped(const uint8_t *ip)
    bint address_is_loopback(const address_t *address)
    bint address_is_private(const address_t *address)
    bint address_is_link_local(const address_t *address)
    bint address_is_multicast(const address_t *address)
    bint address_is_unspecified(const address_t *address)
    bint address_is_broadcast(const address_t *address)
    size_t address_group(const address_t *address, unsigned bits_v4, unsigned bits_v6, uint8_t *group)


cdef class Address:
    cdef address_t raw


# A new object for a raw address.
cdef Address address_of(const address_t *raw)
# Fills `raw` from an Address or a (host, port) pair; raises AddressError or TypeError.
cdef int fill_address(object value, address_t *raw) except -1
