/* What the C peers share: the conversation with the benchmark, the clocks, sockets on 127.0.0.1, and frames.
 *
 * A peer says `{"port": N}` when it is ready. Then, for each line `go N SECONDS`, it works on N packets, gives up
 * after SECONDS, and answers `{"packets": ..., "cpu_ns": ..., "wall_ns": ...}`. It ends at the end of its input.
 */
#ifndef BENCHMARKS_CORE_COMMON_H
#define BENCHMARKS_CORE_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* recvmmsg, sendmmsg */
#endif

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum {
    BATCH = 64,             /* datagrams in one system call */
    FRAME_BYTES = 142 + 1024,
    STRIDE = 2048,          /* room for one datagram, as every other contender has it */
    BUFFER = 4 * 1024 * 1024
};

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

static inline int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        die("clock_gettime");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline struct sockaddr_in local_address(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* A bound socket with large buffers; `port` is where it is. */
static inline int open_socket(int *port) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = BUFFER;
    struct sockaddr_in address = local_address(0);
    socklen_t length = sizeof(address);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) != 0)
        die("socket");
    *port = ntohs(address.sin_port);
    return fd;
}

/* How long one receive may wait: what is lost does not hang the benchmark. */
static inline void set_patience(int fd, double seconds) {
    struct timeval patience = {.tv_sec = (time_t)seconds};
    patience.tv_usec = (suseconds_t)((seconds - (double)patience.tv_sec) * 1e6);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
        die("SO_RCVTIMEO");
}

/* A Publish of the full length; `clock` and `index` make it one that was never seen before, and name its next fragment. */
static inline void make_frame(uint8_t *frame, uint32_t clock, uint32_t index) {
    uint32_t big_clock = htonl(clock), big_index = htonl(index);
    memset(frame, 0, FRAME_BYTES);
    frame[0] = 5;
    frame[1] = 1;
    memcpy(frame + 6, &big_clock, 4);
    memcpy(frame + 10, &big_index, 4);
    memcpy(frame + 78, frame + 6, 8);
}

/* Works on up to `count` packets and returns how many there were. */
typedef long (*work_fn)(long count, double seconds);

/* CPU time in ns: of what is measured. */
typedef int64_t (*cpu_fn)(void);

static inline int64_t cpu_of_process(void) {
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline int converse(int port, work_fn work, cpu_fn cpu_now) {
    char line[256];
    printf("{\"port\": %d}\n", port);
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        long count;
        double seconds;
        if (sscanf(line, "go %ld %lf", &count, &seconds) != 2)
            return 2;
        int64_t wall = clock_ns(CLOCK_MONOTONIC), cpu = cpu_now();
        long packets = work(count, seconds);
        cpu = cpu_now() - cpu;
        wall = clock_ns(CLOCK_MONOTONIC) - wall;
        printf("{\"packets\": %ld, \"cpu_ns\": %" PRId64 ", \"wall_ns\": %" PRId64 "}\n", packets, cpu, wall);
        fflush(stdout);
    }
    return 0;
}

#endif
