/* The engine without Python, so that sanitizers see all of it: threads open, use and close sockets and timers, one reads,
 * some sockets have a handler, and then everything is closed. What is left open in the end is told, and is a failure.
 *
 *     engine_check BACKEND MILLISECONDS SEED          BACKEND: 1 poll, 2 udp
 */
#include "_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 60, THREADS = 4, OWN = 6, PLACES = 16 };

/* It takes connecting for making a new descriptor, which another thread may not use at that moment; the system does not
 * mind. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
    return "race:^net_connect$\n";
}

static engine_t *engine;
static atom32_t stopped, told, handled;
static address_t places[PLACES]; /* where somebody listened lately; under `lock` */
static uv_mutex_t lock;

static unsigned next_random(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Sends all on to where it came from, and hands on every other one. */
static void receive(void *state, datagram_t *batch, size_t count, uint64_t now_ms, handler_result_t *result) {
    (void)state;
    (void)now_ms;
    for (size_t i = 0; i < count; i++) {
        if (batch[i].size > 0 && batch[i].data[0] == 'r') {
            outgoing_t *send = &result->sends[result->send_count++];
            batch[i].data[0] = 'a';
            *send = (outgoing_t){batch[i].data, batch[i].size, HANDLER_ANY_SOCKET, batch[i].address};
        }
        if (i % 2 == 0)
            result->deliveries[result->delivery_count++] = (delivery_t){.index = (uint32_t)i, .flags = DELIVERY_CHECKED};
    }
    atom32_add(&handled, (uint32_t)count);
}

static uint64_t tick(void *state, uint64_t now_ms, handler_result_t *result) {
    (void)state;
    (void)result;
    return now_ms + 3;
}

static const handler_t handler = {&handled, receive, tick};

static handle_t *open_one(unsigned *state) {
    socket_options_t options = {.queue_bytes = 20000};
    const uint8_t loopback[4] = {127, 0, 0, 1};
    handle_t *made = NULL;
    address_set_v4(&options.net.address, loopback, 0);
    options.net.joins = options.net.splits = next_random(state) % 2 == 0;
    if (next_random(state) % 2)
        options.handler = &handler;
    if (socket_new(engine, &options, &made) != 0)
        return NULL;
    uv_mutex_lock(&lock);
    socket_bound(made, &places[next_random(state) % PLACES]);
    uv_mutex_unlock(&lock);
    return made;
}

static void send_some(handle_t *handle, unsigned *state) {
    static const uint8_t data[1400] = {'r'};
    outgoing_t items[40];
    size_t count = 1 + next_random(state) % 40;
    uint32_t size = next_random(state) % 3 ? 1166 : next_random(state) % sizeof(data);
    address_t to;
    int error;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || next_random(state) % 4 == 0) {
            uv_mutex_lock(&lock);
            to = places[next_random(state) % PLACES];
            uv_mutex_unlock(&lock);
        }
        if (to.family == 0)
            return;
        items[i] = (outgoing_t){data, size, 0, to};
    }
    socket_send(handle, items, count, SEND_LOOSE, &error);
}

static void use_one(handle_t *handle, unsigned *state) {
    socket_stats_t stats;
    address_t address;
    int value;
    switch (next_random(state) % 12) {
    case 0:
        socket_pause(handle, 1);
        socket_pause(handle, 0);
        break;
    case 1:
        socket_stats(handle, &stats);
        break;
    case 2:
        socket_bound(handle, &address);
        socket_connect(handle, &address);
        socket_connect(handle, NULL);
        break;
    case 3:
        socket_get(handle, NET_TTL, &value);
        break;
    default:
        send_some(handle, state);
    }
}

/* Each has some sockets and a timer of its own, and now and then closes what another one is in the midst of using. */
static void work(void *argument) {
    unsigned state = *(unsigned *)argument;
    handle_t *own[OWN] = {NULL};
    handle_t *timer = NULL;
    timer_new(engine, 1, 1, &timer);
    while (!atom32_load(&stopped)) {
        handle_t **at = &own[next_random(&state) % OWN];
        if (*at == NULL) {
            *at = open_one(&state);
        } else if (next_random(&state) % 50 == 0) {
            handle_close(*at);
            use_one(*at, &state);
            handle_release(*at);
            *at = NULL;
        } else {
            use_one(*at, &state);
        }
        if (timer != NULL && next_random(&state) % 20 == 0)
            timer_set(timer, next_random(&state) % 3, 1);
    }
    for (size_t i = 0; i < OWN; i++)
        if (own[i] != NULL)
            handle_release(own[i]); /* open as they are: the loop closes them */
    if (timer != NULL) {
        handle_close(timer);
        handle_release(timer);
    }
}

static void read_all(void *argument) {
    const record_t *record;
    (void)argument;
    while (!atom32_load(&stopped)) {
        size_t found = 0;
        engine_wait(engine, 10000000);
        while (found < 50 && (record = engine_next(engine)) != NULL) {
            atom32_add(&told, 1);
            engine_taken(engine, record);
            found++;
        }
        engine_rest(engine, found);
    }
}

int main(int argc, char **argv) {
    uv_thread_t threads[THREADS], reader;
    unsigned seeds[THREADS];
    if (argc != 4 || uv_mutex_init(&lock) != 0)
        return 2;
    alarm(PATIENCE_SECONDS);
    if (engine_new(&engine, RING_LEAST_BYTES, atoi(argv[1])) != 0)
        return 2;
    uv_thread_create(&reader, read_all, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = (unsigned)atoi(argv[3]) * THREADS + i;
        uv_thread_create(&threads[i], work, &seeds[i]);
    }
    usleep((useconds_t)atoi(argv[2]) * 1000);
    atom32_store(&stopped, 1);
    for (unsigned i = 0; i < THREADS; i++)
        uv_thread_join(&threads[i]);
    uv_thread_join(&reader);
    engine_close(engine);
    if (engine_wait_end(engine, 10000000000u) != 0)
        return 1;
    engine_free(engine);
    uint32_t left = handles_alive(HANDLE_LOOP) + handles_alive(HANDLE_SOCKET) + handles_alive(HANDLE_TIMER);
    printf("%u told, %u handled, %u left\n", atom32_load(&told), atom32_load(&handled), left);
    return left != 0;
}
