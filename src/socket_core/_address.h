/* Where a datagram comes from or goes to: one canonical form, so that addresses compare as bytes.
 *
 * An IPv4 address stands in the first four bytes of `ip`, the rest is zero. An IPv4-mapped IPv6 address is made IPv4
 * where it comes in, so that a peer has one address whatever socket it was heard on. Fill one by `address_set_v4` and
 * `address_set_v6` only: they see to both.
 */
#ifndef SOCKET_CORE_ADDRESS_H
#define SOCKET_CORE_ADDRESS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct address {
    uint8_t family; /* 4, 6, or 0 for none */
    uint8_t reserved;
    uint16_t port;  /* host order */
    uint32_t scope; /* the interface of a link-local IPv6 address, else 0 */
    uint8_t ip[16]; /* network order */
} address_t;

enum {
    ADDRESS_WIRE_BYTES = 19, /* family, 16 of address, port; see docs/protocol.md */
    ADDRESS_TEXT_BYTES = 48  /* the longest IPv6 address and its NUL are 46 */
};

static inline int address_equal(const address_t *one, const address_t *other) {
    return memcmp(one, other, sizeof(address_t)) == 0;
}

static inline void address_set_v4(address_t *address, const uint8_t *ip, uint16_t port) {
    memset(address, 0, sizeof(*address));
    address->family = 4;
    address->port = port;
    memcpy(address->ip, ip, 4);
}

/* Whether 16 bytes are of an address that means something on one interface only: fe80::/10, ff01::/16, ff02::/16. */
static inline int address_ip_has_scope(const uint8_t *ip) {
    if (ip[0] == 0xFE)
        return (ip[1] & 0xC0) == 0x80;
    return ip[0] == 0xFF && ((ip[1] & 0x0F) == 1 || (ip[1] & 0x0F) == 2);
}

static inline int address_ip_is_mapped(const uint8_t *ip) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

/* An IPv4-mapped address becomes IPv4; the scope is dropped where it means nothing. */
static inline void address_set_v6(address_t *address, const uint8_t *ip, uint16_t port, uint32_t scope) {
    if (address_ip_is_mapped(ip)) {
        address_set_v4(address, ip + 12, port);
        return;
    }
    memset(address, 0, sizeof(*address));
    address->family = 6;
    address->port = port;
    address->scope = address_ip_has_scope(ip) ? scope : 0;
    memcpy(address->ip, ip, 16);
}

static inline int address_is_loopback(const address_t *address) {
    static const uint8_t one[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    if (address->family == 4)
        return address->ip[0] == 127;
    return address->family == 6 && memcmp(address->ip, one, sizeof(one)) == 0;
}

/* RFC 1918 and RFC 4193, and nothing else. */
static inline int address_is_private(const address_t *address) {
    const uint8_t *ip = address->ip;
    if (address->family == 4)
        return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xF0) == 16) || (ip[0] == 192 && ip[1] == 168);
    return address->family == 6 && (ip[0] & 0xFE) == 0xFC;
}

static inline int address_is_link_local(const address_t *address) {
    const uint8_t *ip = address->ip;
    if (address->family == 4)
        return ip[0] == 169 && ip[1] == 254;
    return address->family == 6 && ip[0] == 0xFE && (ip[1] & 0xC0) == 0x80;
}

static inline int address_is_multicast(const address_t *address) {
    if (address->family == 4)
        return (address->ip[0] & 0xF0) == 224;
    return address->family == 6 && address->ip[0] == 0xFF;
}

static inline int address_is_unspecified(const address_t *address) {
    static const uint8_t zero[16] = {0};
    return memcmp(address->ip, zero, sizeof(zero)) == 0;
}

/* The limited broadcast address; that of a subnet cannot be told without its mask. */
static inline int address_is_broadcast(const address_t *address) {
    const uint8_t *ip = address->ip;
    return address->family == 4 && (ip[0] & ip[1] & ip[2] & ip[3]) == 0xFF;
}

/* The network group, for limits that many addresses of one owner must not get round (F12 F18): the family and the
 * first `bits` of the address, the last byte filled up with zeros. Returns the number of bytes, at most 17. */
static inline size_t address_group(const address_t *address, unsigned bits_v4, unsigned bits_v6, uint8_t group[17]) {
    unsigned most = address->family == 6 ? 128 : 32;
    unsigned bits = address->family == 6 ? bits_v6 : bits_v4;
    bits = bits < most ? bits : most;
    size_t size = (bits + 7) / 8;
    group[0] = address->family;
    memcpy(group + 1, address->ip, size);
    if (bits % 8)
        group[size] = (uint8_t)(group[size] & (0xFF << (8 - bits % 8)));
    return 1 + size;
}

/* `_address_text.c`, in the module `_address` only. */

/* Reads an address without port or scope: a dotted quad or IPv6, no names. Returns its family and fills `ip` (as it
 * is written: an IPv4-mapped one stays of family 6), or 0 where it is none. */
int address_read_ip(const char *text, size_t size, uint8_t ip[16]);
/* Writes the address without port and scope, IPv6 as RFC 5952 has it, and a NUL; returns the length. */
size_t address_write_ip(const address_t *address, char text[ADDRESS_TEXT_BYTES]);

#endif
