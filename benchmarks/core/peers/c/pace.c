/* A sender with a steady hand: new frames to one port, RATE a second, in a small burst each millisecond.
 *
 *     pace PORT RATE
 *
 * `go N SECONDS` sends N and does not look at SECONDS.
 */
#include "common.h"

#include <sys/resource.h>

enum { TICK_NS = 1000000, FORGIVEN_TICKS = 10 };

static int fd;
static long rate;
static uint32_t round_number;
static struct sockaddr_in target;
static uint8_t frames[BATCH][FRAME_BYTES];
static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];

static void send_frames(long from, long to) {
    while (from < to) {
        unsigned now = to - from < BATCH ? (unsigned)(to - from) : BATCH;
        for (unsigned i = 0; i < now; i++)
            make_frame(frames[i], round_number, (uint32_t)(from + i));
        int sent = sendmmsg(fd, messages, now, 0);
        if (sent < 0)
            die("sendmmsg");
        from += sent;
    }
}

static long pace(long count, double seconds) {
    long packets = 0;
    int64_t begin = clock_ns(CLOCK_MONOTONIC), next = begin;
    (void)seconds;
    round_number++;
    while (packets < count) {
        next += TICK_NS;
        struct timespec until = {.tv_sec = next / 1000000000, .tv_nsec = next % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        /* A sender that was held up for long does not make it good in one burst: that would measure the machine. */
        int64_t late = clock_ns(CLOCK_MONOTONIC) - next;
        if (late > FORGIVEN_TICKS * TICK_NS) {
            begin += late;
            next += late;
        }
        long due = (long)((double)(next - begin) * (double)rate / 1e9);
        long end = due < count ? due : count;
        send_frames(packets, end);
        packets = end > packets ? end : packets;
    }
    return packets;
}

int main(int argc, char **argv) {
    int port;
    if (argc < 3)
        return 2;
    fd = open_socket(&port);
    target = local_address(atoi(argv[1]));
    rate = atol(argv[2]);
    /* It is to be the last to wait where processors are short. Without the right to it, it does what it can. */
    (void)!setpriority(PRIO_PROCESS, 0, -10);
    for (size_t i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){.iov_base = frames[i], .iov_len = FRAME_BYTES};
        messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &parts[i], .msg_iovlen = 1, .msg_name = &target, .msg_namelen = sizeof(target)};
    }
    return converse(port, pace, cpu_of_process);
}
