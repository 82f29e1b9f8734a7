/* One thread writes records of all lengths, another reads them and sleeps when there are none; each record says what it
 * has to be. A wake-up that is lost ends the program by SIGALRM, a record that is not the next one by a message.
 *
 *     ring_check COUNT RING_BYTES WAY SEED
 *
 * WAY: `fd`, the reader polls the descriptor; `wait`, it sleeps in wake_wait; `mixed`, now the one and now the other, and
 * a third thread wakes it in vain.
 */
#include "_ring.h"
#include "_wake.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 60, LONGEST = 65536 + 32 };

typedef struct check {
    ring_t ring;
    wake_t wake;
    unsigned long count;
    const char *way;
    unsigned seed;
    atom32_t done;
} check_t;

static unsigned next_random(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static size_t length_of(unsigned *state) {
    unsigned chance = next_random(state) % 100;
    return chance < 60 ? next_random(state) % 64 : chance < 98 ? next_random(state) % 1300 : next_random(state) % LONGEST;
}

static int look(void *state) {
    return ring_filled(&((check_t *)state)->ring);
}

static void fail(const char *what, unsigned long number) {
    fprintf(stderr, "record %lu: %s\n", number, what);
    exit(1);
}

/* As the loop's thread does it: some records at once, then they are published, and the reader is woken. */
static void write_all(void *argument) {
    check_t *check = argument;
    unsigned sizes = check->seed, pace = ~check->seed;
    unsigned long number = 0;
    size_t size = length_of(&sizes);
    while (number < check->count) {
        ring_begin(&check->ring);
        for (unsigned i = next_random(&pace) % 32; i > 0 && number < check->count; i--) {
            record_t *record = ring_reserve(&check->ring, sizeof(*record) + size);
            if (record == NULL)
                break;
            record->kind = RING_DATAGRAM;
            record->handle = (uint32_t)number;
            record->size = (uint32_t)size;
            memset(record + 1, (int)(number & 0xFF), size);
            number++;
            size = length_of(&sizes);
        }
        if (ring_publish(&check->ring))
            wake_reader(&check->wake);
        if (next_random(&pace) % 8 == 0)
            usleep(next_random(&pace) % 100);
    }
}

static void disturb(void *argument) {
    check_t *check = argument;
    while (!atom32_load(&check->done)) {
        wake_call(&check->wake);
        usleep(50);
    }
}

/* How many were read, at most `limit`. */
static size_t read_some(check_t *check, unsigned *sizes, unsigned long *number, size_t limit) {
    const record_t *record;
    size_t found = 0;
    while (found < limit && (record = ring_next(&check->ring)) != NULL) {
        size_t size = length_of(sizes);
        const uint8_t *data = (const uint8_t *)(record + 1);
        if (record->handle != (uint32_t)*number || record->size != size)
            fail("not the next one", *number);
        for (size_t i = 0; i < size; i += 1 + size / 7)
            if (data[i] != (uint8_t)*number)
                fail("other bytes", *number);
        ring_taken(&check->ring, record);
        found++;
        ++*number;
    }
    if (!ring_filled(&check->ring))
        wake_rest(&check->wake, found > 0, look, check);
    return found;
}

static void sleep_once(check_t *check, unsigned *pace) {
    int by_fd = strcmp(check->way, "fd") == 0 || (strcmp(check->way, "mixed") == 0 && next_random(pace) % 2);
    struct pollfd polled = {.fd = check->wake.read_fd, .events = POLLIN};
    if (by_fd)
        poll(&polled, 1, -1);
    else
        wake_wait(&check->wake, UINT64_MAX, look, check);
}

int main(int argc, char **argv) {
    static check_t check;
    uv_thread_t writer, disturber;
    if (argc != 5)
        return 2;
    check.count = strtoul(argv[1], NULL, 10);
    check.way = argv[3];
    check.seed = (unsigned)strtoul(argv[4], NULL, 10);
    if (ring_init(&check.ring, strtoul(argv[2], NULL, 10)) != 0 || wake_init(&check.wake) != 0)
        return 2;
    alarm(PATIENCE_SECONDS);
    int mixed = strcmp(check.way, "mixed") == 0;
    uv_thread_create(&writer, write_all, &check);
    if (mixed)
        uv_thread_create(&disturber, disturb, &check);

    unsigned sizes = check.seed, pace = check.seed * 3 + 1;
    unsigned long number = 0, sleeps = 0;
    while (number < check.count) {
        if (read_some(&check, &sizes, &number, 1 + next_random(&pace) % 100) == 0) {
            sleep_once(&check, &pace);
            sleeps++;
        }
    }
    atom32_store(&check.done, 1);
    uv_thread_join(&writer);
    if (mixed)
        uv_thread_join(&disturber);
    wake_free(&check.wake);
    ring_free(&check.ring);
    printf("%lu records, %lu sleeps\n", number, sleeps);
    return 0;
}
