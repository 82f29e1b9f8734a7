/* Sockets of a loop: made, opened, asked about, closed; see _engine.h. Sending is in _engine_send.c. */
#include "_engine_parts.h"

#include <stdlib.h>
#include <string.h>

int socket_new(engine_t *engine, const socket_options_t *options, handle_t **made) {
    socket_t *socket = calloc(1, sizeof(*socket));
    if (socket == NULL)
        return UV_ENOMEM;
    int error = uv_mutex_init(&socket->lock);
    if (error != 0) {
        free(socket);
        return error;
    }
    handle_init(&socket->handle, engine, HANDLE_SOCKET);
    socket->queue_most = options->queue_bytes;
    if (options->handler != NULL)
        socket->handler = *options->handler;
    /* Bound here, by the thread that wants it: so the system's refusal is known at once, whoever runs the loop. */
    net_options_t wanted = options->net;
    wanted.joins = wanted.joins && engine->backend->joins;
    error = net_open(&socket->net, &wanted);
    if (error == 0)
        error = net_bound(&socket->net, &socket->bound);
    if (error == 0)
        error = handle_start(&socket->handle);
    if (error != 0) {
        if (socket->handle.number == 0)
            net_close(&socket->net); /* the loop never knew of it; otherwise this is its business */
        handle_release(&socket->handle);
        return error;
    }
    *made = &socket->handle;
    return 0;
}

void socket_free(socket_t *socket) {
    socket_drop_queue(socket);
    if (engine_state(socket->handle.engine) != ENGINE_FORKED)
        uv_mutex_destroy(&socket->lock);
    free(socket);
}

socket_t *socket_by_number(engine_t *engine, uint32_t number) {
    socket_t *socket = engine->table[number % TABLE_SIZE];
    while (socket != NULL && socket->handle.number != number)
        socket = socket->next_in_table;
    return socket;
}

static void enter_table(socket_t *socket) {
    socket_t **at = &socket->handle.engine->table[socket->handle.number % TABLE_SIZE];
    socket->next_in_table = *at;
    *at = socket;
}

static void leave_table(socket_t *socket) {
    socket_t **at = &socket->handle.engine->table[socket->handle.number % TABLE_SIZE];
    while (*at != NULL && *at != socket)
        at = &(*at)->next_in_table;
    if (*at == socket)
        *at = socket->next_in_table;
}

/* On the loop's thread. */
int socket_open(socket_t *socket) {
    int error = socket->handler.receive != NULL ? relay_attach(socket) : 0;
    if (error != 0)
        return error;
    error = socket->handle.engine->backend->open(socket);
    if (error != 0)
        return error;
    socket->handle.is_open = 1;
    enter_table(socket);
    socket->handle.engine->backend->watch(socket);
    return 0;
}

/* On the loop's thread: the libuv handle is closed, or there never was one. */
void socket_closed(socket_t *socket) {
    engine_t *engine = socket->handle.engine;
    leave_table(socket);
    relay_detach(socket);
    receive_forget(socket);
    net_close(&socket->net);
    handle_gone(&socket->handle);
    engine_publish(engine);
}

int socket_wants_read(const socket_t *socket) {
    return !socket->stalled && !atom32_load(&socket->paused);
}

int socket_wants_room(const socket_t *socket) {
    return atomz_load(&socket->queue_count) != 0 || socket->wants_room;
}

void socket_pause(handle_t *handle, int paused) {
    socket_t *socket = socket_of(handle);
    if (atom32_swap(&socket->paused, paused != 0) != (uint32_t)(paused != 0))
        handle_ask_and_wait(handle, ASK_READ);
}

void socket_bound(const handle_t *handle, address_t *address) {
    *address = ((const socket_t *)(const void *)handle)->bound;
}

int socket_connect(handle_t *handle, const address_t *address) {
    socket_t *socket = socket_of(handle);
    int error = handle_enter(handle);
    if (error != 0)
        return error;
    uv_mutex_lock(&socket->lock);
    error = net_connect(&socket->net, address);
    if (error == 0 && address == NULL)
        error = net_rebind(&socket->net, &socket->bound);
    if (error == 0) {
        if (address != NULL)
            socket->peer = *address;
        else
            memset(&socket->peer, 0, sizeof(socket->peer));
    }
    uv_mutex_unlock(&socket->lock);
    handle_leave(handle);
    return error;
}

void socket_peer(handle_t *handle, address_t *address) {
    socket_t *socket = socket_of(handle);
    if (engine_state(handle->engine) == ENGINE_FORKED) {
        memset(address, 0, sizeof(*address));
        return;
    }
    uv_mutex_lock(&socket->lock);
    *address = socket->peer;
    uv_mutex_unlock(&socket->lock);
}

int socket_get(handle_t *handle, net_option_t option, int *value) {
    int error = handle_enter(handle);
    if (error == 0) {
        error = net_get(&socket_of(handle)->net, option, value);
        handle_leave(handle);
    }
    return error;
}

int socket_set(handle_t *handle, net_option_t option, int value) {
    int error = handle_enter(handle);
    if (error == 0) {
        error = net_set(&socket_of(handle)->net, option, value);
        handle_leave(handle);
    }
    return error;
}

int socket_multicast_interface(handle_t *handle, const char *interface_text) {
    const net_t *net = &socket_of(handle)->net;
    net_interface_t found;
    int error = handle_enter(handle);
    if (error != 0)
        return error;
    error = net_find_interface(net, interface_text, &found);
    if (error == 0)
        error = net_multicast_interface(net, &found);
    handle_leave(handle);
    return error;
}

int socket_membership(handle_t *handle, const address_t *group, const char *interface_text, const address_t *source,
                      int join) {
    const net_t *net = &socket_of(handle)->net;
    net_interface_t found;
    int error = handle_enter(handle);
    if (error != 0)
        return error;
    error = net_find_interface(net, interface_text, &found);
    if (error == 0)
        error = net_membership(net, group, &found, source, join);
    handle_leave(handle);
    return error;
}

/* Counters. */

void socket_note(socket_t *socket, int error) {
    for (int i = 0; i < SOCKET_ERRORS; i++) {
        if (atom32_load(&socket->codes[i]) == 0)
            atom32_replace(&socket->codes[i], 0, (uint32_t)error);
        /* Another thread may have taken the place, for the same or for another one. */
        if (atom32_load(&socket->codes[i]) == (uint32_t)error || i == SOCKET_ERRORS - 1) {
            atomz_add(&socket->counts[i], 1);
            return;
        }
    }
}

void socket_count_lost(socket_t *socket) {
    atomz_put(&socket->overflowed, net_lost(&socket->net));
}

void socket_stats(handle_t *handle, socket_stats_t *stats) {
    socket_t *socket = socket_of(handle);
    if (handle_enter(handle) == 0) {
        socket_count_lost(socket);
        handle_leave(handle);
    }
    stats->received = atomz_peek(&socket->received);
    stats->received_bytes = atomz_peek(&socket->received_bytes);
    stats->sent = atomz_peek(&socket->sent);
    stats->sent_bytes = atomz_peek(&socket->sent_bytes);
    stats->queued = atomz_peek(&socket->queued);
    stats->refused = atomz_peek(&socket->refused);
    stats->dropped = atomz_peek(&socket->dropped);
    stats->overflowed = atomz_peek(&socket->overflowed);
    stats->truncated = atomz_peek(&socket->truncated);
    for (int i = 0; i < SOCKET_ERRORS; i++) {
        stats->codes[i] = (int32_t)atom32_load(&socket->codes[i]);
        stats->counts[i] = atomz_peek(&socket->counts[i]);
    }
}

/* An ICMP storm is taken in shares, so that others have their turn. */
void socket_take_errors(socket_t *socket) {
    for (int i = 0; i < NET_BATCH; i++) {
        int error;
        address_t address;
        if (!net_take_error(&socket->net, &error, &address))
            return;
        if (error == 0)
            continue;
        socket_note(socket, error);
        events_failed(&socket->handle, error, &address);
    }
}
