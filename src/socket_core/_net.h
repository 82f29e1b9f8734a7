/* Sockets of the system, as the rest of the core sees them: plain calls that may be made from any thread.
 *
 * Nothing here knows of loops. Whatever can fail returns 0 or an error of libuv (negative), on every system the same.
 */
#ifndef SOCKET_CORE_NET_H
#define SOCKET_CORE_NET_H

#include "_system.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifndef _WIN32
#include <netinet/in.h>
#include <sys/socket.h>
#endif

#include "_address.h"
#include "_atomic.h"
#include "_handler.h"

#ifdef _WIN32
#define NET_NONE ((uv_os_sock_t)INVALID_SOCKET)
typedef int socklen_type_t;
#else
#define NET_NONE ((uv_os_sock_t)-1)
typedef socklen_t socklen_type_t;
#endif

enum {
    NET_DATAGRAM_MOST = 65536, /* no datagram is longer: 65,507 bytes over IPv4, 65,527 over IPv6 */
    NET_BATCH = 64             /* datagrams in one call of the system */
};

typedef union net_name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} net_name_t;

/* Which addresses a socket can send to. */
enum { NET_V4 = 1, NET_V6 = 2 };
/* How it shares its port. */
enum { NET_SHARES_ADDRESS = 1, NET_SHARES_PORT = 2 };

typedef struct net {
    uv_os_sock_t fd;
    uint8_t family;      /* 4 or 6: what the system thinks it is */
    uint8_t reaches;     /* NET_V4 | NET_V6; an IPv6 socket for all addresses has both */
    uint8_t shared;      /* its port may be shared, by SO_REUSEADDR and SO_REUSEPORT */
    atom32_t segment_most; /* runs of datagrams of at most this size are sent as one (GSO); 0: none */
} net_t;

typedef struct net_options {
    address_t address;
    int reuse_address;
    int reuse_port;
    int ipv6_only;
    int broadcast;
    int joins;          /* the system may join runs of datagrams that come in (GRO), and tells that it did */
    int splits;         /* it may be given runs of datagrams, to be taken apart (GSO) */
    int receive_buffer; /* bytes; 0: as it comes */
    int send_buffer;
} net_options_t;

/* A socket that never blocks, is not inherited, and is bound. */
int net_open(net_t *net, const net_options_t *options);
void net_close(net_t *net);
/* What `options` said of sharing its port, after somebody else may have changed it. */
int net_restore_sharing(const net_t *net);
int net_bound(const net_t *net, address_t *address);
/* Binds it again, if the system has forgotten that it was. */
int net_rebind(const net_t *net, const address_t *bound);
/* NULL: to nobody. */
int net_connect(const net_t *net, const address_t *address);

/* Writes the name for this socket, and its length. UV_EAFNOSUPPORT: not one that it can send to. */
int net_name_of(const net_t *net, const address_t *address, net_name_t *name, socklen_type_t *length);
void net_address_of(const struct sockaddr *name, address_t *address);

typedef enum net_option {
    NET_RECEIVE_BUFFER,
    NET_SEND_BUFFER,
    NET_TTL,
    NET_BROADCAST,
    NET_MULTICAST_TTL,
    NET_MULTICAST_LOOP
} net_option_t;

int net_get(const net_t *net, net_option_t option, int *value);
int net_set(const net_t *net, net_option_t option, int value);

/* An interface by its index (0: the system chooses) and, for IPv4, one of its addresses. */
typedef struct net_interface {
    unsigned index;
    address_t address;
} net_interface_t;

/* By name, by number or by an address: "eth0", "3", "192.168.1.7", "fe80::1%eth0". "" is none. UV_ENODEV. */
int net_find_interface(const net_t *net, const char *text, net_interface_t *found);
int net_multicast_interface(const net_t *net, const net_interface_t *via);
/* `source`: only what comes from there; family 0 for all. */
int net_membership(const net_t *net, const address_t *group, const net_interface_t *via, const address_t *source,
                   int join);

/* Sends from the first on, and returns how many the system took; `*error` is 0 when it took all, and else why not the
 * next one: UV_EAGAIN where it has no room now. An error that came back for an earlier datagram is passed over. */
size_t net_send(net_t *net, const outgoing_t *items, size_t count, int *error);

/* An error that came back for a datagram that was sent, with its address (family 0: unknown). Returns whether there
 * was one. Only Linux keeps them; elsewhere the next call on the socket fails instead. */
int net_take_error(const net_t *net, int *error, address_t *address);
/* Whether this error of a call tells of an earlier datagram, and not of this call. */
int net_is_belated(int error);

/* How often the system had no room for what came, since the socket was made; 0 where it does not tell. */
uint32_t net_lost(const net_t *net);

/* The last error of a socket call of this thread. */
int net_error(void);

/* Time as Python's time.monotonic() counts it, in ns; on Windows to be shifted by what the two differ. */
uint64_t net_clock(void);

#endif
