/* Sockets of the system: made, bound, connected, named, closed; see _net.h. */
#include "_net.h"

#include <string.h>

#ifndef _WIN32
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <netinet/udp.h>
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_SELECT_ERR_QUEUE
#define SO_SELECT_ERR_QUEUE 45
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif
#endif

#ifdef _WIN32

int net_error(void) {
    return uv_translate_sys_error(WSAGetLastError());
}

uint64_t net_clock(void) {
    return uv_hrtime();
}

static void close_fd(uv_os_sock_t fd) {
    closesocket(fd);
}

static int make_socket(int domain, uv_os_sock_t *fd) {
    u_long on = 1;
    *fd = WSASocketW(domain, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (*fd == INVALID_SOCKET)
        return net_error();
    return ioctlsocket(*fd, FIONBIO, &on) == 0 ? 0 : net_error();
}

#else

int net_error(void) {
    return uv_translate_sys_error(errno);
}

uint64_t net_clock(void) {
#ifdef __APPLE__
    return clock_gettime_nsec_np(CLOCK_UPTIME_RAW); /* mach_absolute_time(), as Python: libuv's goes on in sleep */
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

static void close_fd(uv_os_sock_t fd) {
    close(fd);
}

static int make_socket(int domain, uv_os_sock_t *fd) {
#ifdef SOCK_CLOEXEC
    *fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *fd < 0 ? net_error() : 0;
#else
    *fd = socket(domain, SOCK_DGRAM, 0);
    if (*fd < 0)
        return net_error();
    if (fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(*fd, F_SETFL, O_NONBLOCK) != 0)
        return net_error();
    return 0;
#endif
}

#endif

static int set(const net_t *net, int level, int name, int value) {
    return setsockopt(net->fd, level, name, (const void *)&value, sizeof(value)) == 0 ? 0 : net_error();
}

int net_name_of(const net_t *net, const address_t *address, net_name_t *name, socklen_type_t *length) {
    if (!(net->reaches & (address->family == 4 ? NET_V4 : NET_V6)) || address->family == 0)
        return UV_EAFNOSUPPORT;
    if (net->family == 4) {
        memset(&name->v4, 0, sizeof(name->v4));
        name->v4.sin_family = AF_INET;
        name->v4.sin_port = htons(address->port);
        memcpy(&name->v4.sin_addr, address->ip, 4);
        *length = sizeof(name->v4);
        return 0;
    }
    memset(&name->v6, 0, sizeof(name->v6));
    name->v6.sin6_family = AF_INET6;
    name->v6.sin6_port = htons(address->port);
    name->v6.sin6_scope_id = address->scope;
    uint8_t *ip = (uint8_t *)&name->v6.sin6_addr;
    if (address->family == 4) {
        ip[10] = ip[11] = 0xFF;
        memcpy(ip + 12, address->ip, 4);
    } else {
        memcpy(ip, address->ip, 16);
    }
    *length = sizeof(name->v6);
    return 0;
}

void net_address_of(const struct sockaddr *name, address_t *address) {
    if (name->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)name;
        address_set_v4(address, (const uint8_t *)&v4->sin_addr, ntohs(v4->sin_port));
    } else if (name->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)name;
        address_set_v6(address, (const uint8_t *)&v6->sin6_addr, ntohs(v6->sin6_port), v6->sin6_scope_id);
    } else {
        memset(address, 0, sizeof(*address));
    }
}

#ifdef __linux__

/* What Linux has beyond others; where the kernel is too old for one of them, it goes without. */
static void set_extras(net_t *net, const net_options_t *options) {
    if (net->family == 6) {
        set(net, IPPROTO_IPV6, IPV6_RECVERR, 1);
        set(net, IPPROTO_IP, IP_RECVERR, 1); /* of IPv4 peers of this socket */
    } else {
        set(net, IPPROTO_IP, IP_RECVERR, 1);
    }
    set(net, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1);
    if (options->joins)
        set(net, IPPROTO_UDP, UDP_GRO, 1);
    atom32_put(&net->segment_most, options->splits ? NET_DATAGRAM_MOST : 0);
}

#else

static void set_extras(net_t *net, const net_options_t *options) {
    (void)net;
    (void)options;
}

#endif

/* What has to be said before it is bound. */
static int set_sharing(const net_t *net, const net_options_t *options) {
    int error = 0;
#ifdef _WIN32
    /* Without it, any program may take over a bound port of ours. */
    if (!options->reuse_address)
        error = set(net, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1);
    if (options->reuse_port)
        return UV_ENOTSUP;
#else
    if (options->reuse_port)
        error = set(net, SOL_SOCKET, SO_REUSEPORT, 1);
#endif
    if (error == 0 && options->reuse_address)
        error = set(net, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error == 0 && net->family == 6)
        error = set(net, IPPROTO_IPV6, IPV6_V6ONLY, !(net->reaches & NET_V4));
    return error;
}

int net_restore_sharing(const net_t *net) {
#ifndef _WIN32
    int error = set(net, SOL_SOCKET, SO_REUSEPORT, (net->shared & NET_SHARES_PORT) != 0);
    return error != 0 ? error : set(net, SOL_SOCKET, SO_REUSEADDR, (net->shared & NET_SHARES_ADDRESS) != 0);
#else
    (void)net;
    return 0;
#endif
}

static int bind_to(const net_t *net, const address_t *address) {
    net_name_t name;
    socklen_type_t length;
    net_t any = {.family = net->family, .reaches = NET_V4 | NET_V6};
    int error = net_name_of(&any, address, &name, &length);
    if (error != 0)
        return error;
    return bind(net->fd, &name.any, length) == 0 ? 0 : net_error();
}

static int prepare(net_t *net, const net_options_t *options) {
    int error = set_sharing(net, options);
    if (error == 0 && options->receive_buffer > 0)
        error = net_set(net, NET_RECEIVE_BUFFER, options->receive_buffer);
    if (error == 0 && options->send_buffer > 0)
        error = net_set(net, NET_SEND_BUFFER, options->send_buffer);
    if (error == 0 && options->broadcast)
        error = net_set(net, NET_BROADCAST, 1);
    set_extras(net, options);
    return error != 0 ? error : bind_to(net, &options->address);
}

int net_open(net_t *net, const net_options_t *options) {
    memset(net, 0, sizeof(*net));
    net->fd = NET_NONE;
    net->family = options->address.family;
    net->reaches = net->family == 4 ? NET_V4 : NET_V6;
    net->shared = (uint8_t)((options->reuse_address ? NET_SHARES_ADDRESS : 0) |
                            (options->reuse_port ? NET_SHARES_PORT : 0));
    if (net->family == 6 && !options->ipv6_only && address_is_unspecified(&options->address))
        net->reaches |= NET_V4;
    int error = make_socket(net->family == 4 ? AF_INET : AF_INET6, &net->fd);
    if (error == 0)
        error = prepare(net, options);
    if (error != 0)
        net_close(net);
    return error;
}

void net_close(net_t *net) {
    if (net->fd != NET_NONE)
        close_fd(net->fd);
    net->fd = NET_NONE;
}

int net_bound(const net_t *net, address_t *address) {
    net_name_t name;
    socklen_type_t length = sizeof(name);
    if (getsockname(net->fd, &name.any, &length) != 0)
        return net_error();
    net_address_of(&name.any, address);
    return 0;
}

/* Linux gives back a port that it had chosen itself, when a socket is to be connected to nobody. */
int net_rebind(const net_t *net, const address_t *bound) {
    address_t now = *bound;
    int error = net_bound(net, &now);
    return error != 0 || now.port == bound->port ? error : bind_to(net, bound);
}

uint32_t net_lost(const net_t *net) {
#ifdef __linux__
    /* Asked for when somebody wants to know it: to have it told with every datagram (SO_RXQ_OVFL) costs 2 % of it. */
    enum { DROPS = 8, VALUES = 9 }; /* SK_MEMINFO_DROPS of linux/sock_diag.h */
    uint32_t values[VALUES];
    socklen_t length = sizeof(values);
    if (getsockopt(net->fd, SOL_SOCKET, SO_MEMINFO, values, &length) == 0 && length == sizeof(values))
        return values[DROPS];
#endif
    (void)net;
    return 0;
}

int net_connect(const net_t *net, const address_t *address) {
    net_name_t name;
    socklen_type_t length;
    if (address == NULL) {
        memset(&name, 0, sizeof(name));
#ifdef _WIN32
        name.any.sa_family = net->family == 4 ? AF_INET : AF_INET6; /* of the address "any" */
        length = net->family == 4 ? sizeof(name.v4) : sizeof(name.v6);
#else
        name.any.sa_family = AF_UNSPEC;
        length = sizeof(name.any);
#endif
    } else {
        int error = net_name_of(net, address, &name, &length);
        if (error != 0)
            return error;
    }
    int result;
    do
        result = connect(net->fd, &name.any, length);
    while (result != 0 && net_error() == UV_EINTR);
#ifdef __APPLE__
    if (result != 0 && address == NULL && (errno == EAFNOSUPPORT || errno == EINVAL))
        return 0; /* it says so, and has done it */
#endif
    return result == 0 ? 0 : net_error();
}
