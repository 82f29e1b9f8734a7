/* Options of sockets, and groups; see _net.h. */
#include "_net.h"

#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <net/if.h>
#endif

#ifdef IPV6_ADD_MEMBERSHIP
#define NET_JOIN_V6 IPV6_ADD_MEMBERSHIP
#define NET_LEAVE_V6 IPV6_DROP_MEMBERSHIP
#else
#define NET_JOIN_V6 IPV6_JOIN_GROUP
#define NET_LEAVE_V6 IPV6_LEAVE_GROUP
#endif

typedef struct place {
    int level;
    int name;
} place_t;

static place_t place_of(const net_t *net, net_option_t option) {
    int six = net->family == 6;
    int level = six ? IPPROTO_IPV6 : IPPROTO_IP;
    switch (option) {
    case NET_RECEIVE_BUFFER:
        return (place_t){SOL_SOCKET, SO_RCVBUF};
    case NET_SEND_BUFFER:
        return (place_t){SOL_SOCKET, SO_SNDBUF};
    case NET_BROADCAST:
        return (place_t){SOL_SOCKET, SO_BROADCAST};
    case NET_TTL:
        return (place_t){level, six ? IPV6_UNICAST_HOPS : IP_TTL};
    case NET_MULTICAST_TTL:
        return (place_t){level, six ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL};
    default:
        return (place_t){level, six ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP};
    }
}

/* Some systems take these two as one byte only, for IPv4; all take them so. */
static int is_byte(const net_t *net, net_option_t option) {
    return net->family == 4 && (option == NET_MULTICAST_TTL || option == NET_MULTICAST_LOOP);
}

static int set_at(const net_t *net, int level, int name, const void *value, size_t size) {
    return setsockopt(net->fd, level, name, value, (socklen_type_t)size) == 0 ? 0 : net_error();
}

int net_get(const net_t *net, net_option_t option, int *value) {
    place_t place = place_of(net, option);
    unsigned char byte = 0;
    int number = 0;
    int small = is_byte(net, option);
    void *at = small ? (void *)&byte : (void *)&number;
    socklen_type_t length = small ? sizeof(byte) : sizeof(number);
    if (getsockopt(net->fd, place.level, place.name, at, &length) != 0)
        return net_error();
    *value = small ? byte : number;
    return 0;
}

int net_set(const net_t *net, net_option_t option, int value) {
    place_t place = place_of(net, option);
    unsigned char byte = (unsigned char)value;
    int error = is_byte(net, option) ? set_at(net, place.level, place.name, &byte, sizeof(byte))
                                     : set_at(net, place.level, place.name, &value, sizeof(value));
    /* An IPv6 socket that speaks to IPv4 peers too has these of both; the other is done where it can be. */
    if (error == 0 && net->family == 6 && (net->reaches & NET_V4) && place.level == IPPROTO_IPV6) {
        net_t other = {.fd = net->fd, .family = 4};
        place = place_of(&other, option);
        if (is_byte(&other, option))
            set_at(net, place.level, place.name, &byte, sizeof(byte));
        else
            set_at(net, place.level, place.name, &value, sizeof(value));
    }
    return error;
}

static unsigned index_of_name(const char *name) {
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    if (*name >= '0' && *name <= '9' && *end == '\0' && number <= 0x7FFFFFFF)
        return (unsigned)number;
#ifdef _WIN32
    return 0; /* there, interfaces are told by number: `netsh interface ipv6 show interfaces` */
#else
    return if_nametoindex(name);
#endif
}

/* The interface that has this address. */
static int find_by_address(const address_t *wanted, net_interface_t *found) {
    uv_interface_address_t *all;
    int count;
    int error = uv_interface_addresses(&all, &count);
    if (error != 0)
        return error;
    error = UV_ENODEV;
    for (int i = 0; i < count && error != 0; i++) {
        address_t address;
        net_address_of((const struct sockaddr *)&all[i].address, &address);
        if (address.family != wanted->family || memcmp(address.ip, wanted->ip, sizeof(address.ip)) != 0)
            continue;
        found->address = address;
#ifdef _WIN32
        found->index = address.family == 6 ? all[i].address.address6.sin6_scope_id : 0;
#else
        found->index = if_nametoindex(all[i].name);
#endif
        error = 0;
    }
    uv_free_interface_addresses(all, count);
    return error;
}

int net_find_interface(const net_t *net, const char *text, net_interface_t *found) {
    char head[64];
    memset(found, 0, sizeof(*found));
    if (*text == '\0')
        return 0;
    const char *percent = strchr(text, '%');
    size_t size = percent != NULL ? (size_t)(percent - text) : strlen(text);
    if (size < sizeof(head)) {
        struct in6_addr six;
        struct in_addr four;
        memcpy(head, text, size);
        head[size] = '\0';
        if (percent != NULL && percent[1] != '\0' && uv_inet_pton(AF_INET6, head, &six) == 0) {
            found->index = index_of_name(percent + 1);
            return found->index == 0 ? UV_ENODEV : 0;
        }
        if (percent == NULL && uv_inet_pton(AF_INET, head, &four) == 0) {
            address_set_v4(&found->address, (const uint8_t *)&four, 0);
            address_t wanted = found->address;
            int error = find_by_address(&wanted, found);
            /* Any address of 127/8 is of the loopback via, and only one of them is listed. */
            return error == UV_ENODEV && address_is_loopback(&wanted) && net->family == 4 ? 0 : error;
        }
        if (percent == NULL && uv_inet_pton(AF_INET6, head, &six) == 0) {
            address_set_v6(&found->address, (const uint8_t *)&six, 0, 0);
            address_t wanted = found->address;
            return find_by_address(&wanted, found);
        }
    }
    found->index = index_of_name(text);
    return found->index == 0 ? UV_ENODEV : 0;
}

/* IPv4 tells an interface by address on every system, by index on most. */
static int fill_v4_interface(const net_interface_t *via, struct in_addr *address) {
    memset(address, 0, sizeof(*address));
    if (via->address.family == 4) {
        memcpy(address, via->address.ip, 4);
        return 0;
    }
    if (via->index == 0)
        return 0;
#ifdef _WIN32
    address->s_addr = htonl(via->index); /* an address of 0/8 is taken as an index there */
    return 0;
#else
    uv_interface_address_t *all;
    int count;
    char name[IF_NAMESIZE];
    if (if_indextoname(via->index, name) == NULL)
        return UV_ENODEV;
    int error = uv_interface_addresses(&all, &count);
    if (error != 0)
        return error;
    error = UV_EADDRNOTAVAIL;
    for (int i = 0; i < count && error != 0; i++) {
        if (strcmp(all[i].name, name) == 0 && all[i].address.address4.sin_family == AF_INET) {
            *address = all[i].address.address4.sin_addr;
            error = 0;
        }
    }
    uv_free_interface_addresses(all, count);
    return error;
#endif
}

int net_multicast_interface(const net_t *net, const net_interface_t *via) {
    struct in_addr four;
    int error = 0;
    if (net->family == 6) {
        unsigned index = via->index;
        error = set_at(net, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
        if (!(net->reaches & NET_V4) || error != 0)
            return error;
    }
    error = fill_v4_interface(via, &four);
    if (error == 0)
        error = set_at(net, IPPROTO_IP, IP_MULTICAST_IF, &four, sizeof(four));
    return net->family == 6 ? 0 : error;
}

static int membership_v4(const net_t *net, const address_t *group, const net_interface_t *via,
                         const address_t *source, int join) {
    struct in_addr four;
    int error = fill_v4_interface(via, &four);
    if (error != 0)
        return error;
    if (source->family == 0) {
        struct ip_mreq request;
        memcpy(&request.imr_multiaddr, group->ip, 4);
        request.imr_interface = four;
        return set_at(net, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request, sizeof(request));
    }
    struct ip_mreq_source request;
    memcpy(&request.imr_multiaddr, group->ip, 4);
    memcpy(&request.imr_sourceaddr, source->ip, 4);
    request.imr_interface = four;
    return set_at(net, IPPROTO_IP, join ? IP_ADD_SOURCE_MEMBERSHIP : IP_DROP_SOURCE_MEMBERSHIP, &request,
                  sizeof(request));
}

static void fill_storage(struct sockaddr_storage *storage, const address_t *address) {
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)storage;
    memset(storage, 0, sizeof(*storage));
    six->sin6_family = AF_INET6;
    six->sin6_scope_id = address->scope;
    memcpy(&six->sin6_addr, address->ip, 16);
}

static int membership_v6(const net_t *net, const address_t *group, const net_interface_t *via,
                         const address_t *source, int join) {
    unsigned index = via->index != 0 ? via->index : group->scope;
    if (source->family == 0) {
        struct ipv6_mreq request;
        memcpy(&request.ipv6mr_multiaddr, group->ip, 16);
        request.ipv6mr_interface = index;
        return set_at(net, IPPROTO_IPV6, join ? NET_JOIN_V6 : NET_LEAVE_V6, &request, sizeof(request));
    }
#ifdef MCAST_JOIN_SOURCE_GROUP
    struct group_source_req request;
    memset(&request, 0, sizeof(request));
    request.gsr_interface = index;
    fill_storage(&request.gsr_group, group);
    fill_storage(&request.gsr_source, source);
    return set_at(net, IPPROTO_IPV6, join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP, &request,
                  sizeof(request));
#else
    (void)fill_storage;
    return UV_ENOTSUP;
#endif
}

int net_membership(const net_t *net, const address_t *group, const net_interface_t *via, const address_t *source,
                   int join) {
    if (source->family != 0 && source->family != group->family)
        return UV_EINVAL;
    if (!(net->reaches & (group->family == 4 ? NET_V4 : NET_V6)))
        return UV_EAFNOSUPPORT;
    return group->family == 4 ? membership_v4(net, group, via, source, join)
                              : membership_v6(net, group, via, source, join);
}
