/* The floor of receiving: recvmmsg, 64 at once, with addresses, and nothing done with what comes.
 *
 *     receive          one datagram in each buffer
 *     receive gro      many of one sender in each buffer (UDP_GRO)
 */
#include "common.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { GRO_BATCH = 16, GRO_STRIDE = 65536, CONTROL = 64 };

static int fd, gro;
static uint8_t *memory;
static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];
static struct sockaddr_in sources[BATCH];
static char controls[BATCH][CONTROL];

/* How many datagrams stand in one buffer: the kernel says how long each of them is. */
static long datagrams_in(struct mmsghdr *message) {
    struct cmsghdr *control = CMSG_FIRSTHDR(&message->msg_hdr);
    for (; control != NULL; control = CMSG_NXTHDR(&message->msg_hdr, control))
        if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(control), sizeof(size));
            return ((long)message->msg_len + size - 1) / size;
        }
    return 1;
}

static long receive(long count, double seconds) {
    unsigned batch = gro ? GRO_BATCH : BATCH;
    long packets = 0;
    set_patience(fd, seconds);
    while (packets < count) {
        int got = recvmmsg(fd, messages, batch, MSG_WAITFORONE, NULL);
        if (got < 0)
            return packets;
        for (int i = 0; i < got; i++) {
            packets += gro ? datagrams_in(&messages[i]) : 1;
            messages[i].msg_hdr.msg_controllen = gro ? CONTROL : 0;
        }
    }
    return packets;
}

int main(int argc, char **argv) {
    int port, on = 1;
    gro = argc > 1 && strcmp(argv[1], "gro") == 0;
    fd = open_socket(&port);
    if (gro && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) != 0)
        die("UDP_GRO");
    size_t stride = gro ? GRO_STRIDE : STRIDE;
    memory = malloc(BATCH * stride);
    if (memory == NULL)
        die("malloc");
    for (size_t i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){.iov_base = memory + i * stride, .iov_len = stride};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
                                              .msg_iovlen = 1,
                                              .msg_name = &sources[i],
                                              .msg_namelen = sizeof(sources[i]),
                                              .msg_control = gro ? controls[i] : NULL,
                                              .msg_controllen = gro ? CONTROL : 0};
    }
    return converse(port, receive, cpu_of_process);
}
