/* The floor of sending: sendmmsg, 64 at once, each with its address, all to one port.
 *
 *     send PORT            one datagram in each message
 *     send PORT watched    the same, from a socket that an epoll watches for something to read
 *     send PORT gso        56 in each message, split by the kernel (UDP_SEGMENT)
 */
#include "common.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/epoll.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { SEGMENTS = 56 }; /* as many frames as one datagram of 65,507 bytes holds */

static int fd;
static uint8_t frames[BATCH][FRAME_BYTES];
static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];
static struct sockaddr_in target;

static long send_batches(long count, double seconds) {
    long packets = 0;
    (void)seconds;
    while (packets < count) {
        long left = count - packets;
        int sent = sendmmsg(fd, messages, left < BATCH ? (unsigned)left : BATCH, 0);
        if (sent < 0)
            die("sendmmsg");
        packets += sent;
    }
    return packets;
}

static long send_segments(long count, double seconds) {
    long packets = 0;
    (void)seconds;
    while (packets < count) {
        long left = count - packets, now = left < SEGMENTS ? left : SEGMENTS;
        if (sendto(fd, frames, (size_t)now * FRAME_BYTES, 0, (struct sockaddr *)&target, sizeof(target)) < 0)
            die("sendto");
        packets += now;
    }
    return packets;
}

/* Each datagram that leaves then asks the epoll whether it waits for room, which it does not; it takes its time. */
static void watch(void) {
    struct epoll_event readable = {.events = EPOLLIN};
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &readable) != 0)
        die("epoll");
}

int main(int argc, char **argv) {
    int port, segment = FRAME_BYTES, gso = argc > 2 && strcmp(argv[2], "gso") == 0;
    if (argc < 2)
        return 2;
    fd = open_socket(&port);
    target = local_address(atoi(argv[1]));
    if (gso && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) != 0)
        die("UDP_SEGMENT");
    if (argc > 2 && strcmp(argv[2], "watched") == 0)
        watch();
    for (uint32_t i = 0; i < BATCH; i++) {
        make_frame(frames[i], 0, i);
        parts[i] = (struct iovec){.iov_base = frames[i], .iov_len = FRAME_BYTES};
        messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &parts[i], .msg_iovlen = 1, .msg_name = &target, .msg_namelen = sizeof(target)};
    }
    return converse(port, gso ? send_segments : send_batches, cpu_of_process);
}
