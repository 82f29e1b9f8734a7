/* Handlers (_handler.h) in a loop: they get batches, and what they ask for is done. One for all sockets that share it. */
#include "_engine_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    MS_IN_NS = 1000000,
    GROUP_BITS = 8,
    GROUPS = 1 << GROUP_BITS,
    GROUP_LEAST = 8 /* fewer are sent as they are */
};

/* Where a datagram goes is one of GROUPS, by chance; several places may share one. */
static size_t group_of(const outgoing_t *item) {
    uint32_t words[6], sum = item->socket;
    memcpy(words, &item->address, sizeof(words));
    for (size_t i = 0; i < 6; i++)
        sum = (sum ^ words[i]) * 0x9E3779B1u;
    return sum >> (32 - GROUP_BITS);
}

/* Puts together what goes to one place, in the order in which it was: the system then takes it as one (net_send). */
static const outgoing_t *group_sends(const socket_t *from, const outgoing_t *items, size_t count) {
    engine_t *engine = from->handle.engine;
    uint16_t starts[GROUPS + 1] = {0};
    uint8_t groups[HANDLER_SENDS];
    if (count < GROUP_LEAST || atom32_peek(&from->net.segment_most) == 0)
        return items;
    for (size_t i = 0; i < count; i++) {
        groups[i] = (uint8_t)group_of(&items[i]);
        starts[groups[i] + 1]++;
    }
    for (size_t i = 0; i < GROUPS; i++)
        starts[i + 1] = (uint16_t)(starts[i + 1] + starts[i]);
    for (size_t i = 0; i < count; i++)
        engine->sends[starts[groups[i]]++] = items[i];
    return engine->sends;
}

/* Sends what the handler has asked for, in runs for one socket each. */
static void send_all(link_t *link, socket_t *from, const handler_result_t *result) {
    const outgoing_t *sends = group_sends(from, result->sends, result->send_count);
    size_t at = 0;
    while (at < result->send_count) {
        uint32_t number = sends[at].socket;
        size_t end = at + 1;
        while (end < result->send_count && sends[end].socket == number)
            end++;
        socket_t *socket = number == HANDLER_ANY_SOCKET ? from : socket_by_number(link->engine, number);
        if (socket != NULL && socket->handle.is_open) {
            int error;
            socket_send(&socket->handle, &sends[at], end - at, SEND_LOOSE, &error);
        }
        at = end;
    }
}

/* Into the ring as it came: what is sent on has other hops, in the same bytes. */
static int deliver(socket_t *socket, const datagram_t *datagram, const delivery_t *delivery, uint64_t time) {
    const uint8_t *id = delivery->flags & DELIVERY_HASHED ? delivery->id : NULL;
    if (!(delivery->flags & DELIVERY_FORWARDED))
        return events_datagram(socket, datagram->data, datagram->size, &datagram->address, time, delivery->flags, id);
    uint8_t onward[HANDLER_CHANGED_BYTES], *changed = datagram->data + HANDLER_CHANGED_AT;
    memcpy(onward, changed, HANDLER_CHANGED_BYTES);
    memcpy(changed, delivery->came, HANDLER_CHANGED_BYTES);
    int fits = events_datagram(socket, datagram->data, datagram->size, &datagram->address, time, delivery->flags, id);
    memcpy(changed, onward, HANDLER_CHANGED_BYTES);
    return fits;
}

static void deliver_all(const datagram_t *datagrams, size_t count, uint64_t time, handler_result_t *result,
                        engine_t *engine) {
    for (size_t i = 0; i < result->delivery_count; i++) {
        const delivery_t *delivery = &result->deliveries[i];
        if (delivery->index >= count)
            continue;
        const datagram_t *datagram = &datagrams[delivery->index];
        socket_t *socket = socket_by_number(engine, datagram->socket);
        if (socket == NULL || deliver(socket, datagram, delivery, time))
            continue;
        count_own(&socket->dropped, 1);
        engine->dropped++;
    }
}

static void on_tick(uv_timer_t *timer);

/* What is due is asked for after every batch, too: it may have made something due, and asking costs little. */
static void tick(link_t *link, uint64_t now_ms) {
    if (link->handler.tick == NULL)
        return;
    handler_result_t *result = link->engine->result;
    result->send_count = result->delivery_count = 0;
    uint64_t due = link->handler.tick(link->handler.state, now_ms, result);
    if (link->sockets != NULL)
        send_all(link, link->sockets, result);
    if (due == link->due)
        return;
    link->due = due;
    if (due == UINT64_MAX)
        uv_timer_stop(&link->timer);
    else
        uv_timer_start(&link->timer, on_tick, due > now_ms ? due - now_ms : 1, 0);
}

static void on_tick(uv_timer_t *timer) {
    link_t *link = PART_OF(link_t, timer, timer);
    engine_t *engine = link->engine;
    ring_begin(&engine->ring);
    link->due = 0; /* the timer has run out: whatever comes is new */
    tick(link, net_clock() / MS_IN_NS);
    engine_publish(engine);
}

void relay_batch(link_t *link, socket_t *from, datagram_t *datagrams, size_t count, uint64_t time) {
    handler_result_t *result = link->engine->result;
    uint64_t now_ms = time / MS_IN_NS;
    result->send_count = result->delivery_count = 0;
    link->handler.receive(link->handler.state, datagrams, count, now_ms, result);
    deliver_all(datagrams, count, time, result, link->engine);
    send_all(link, from, result);
    if (now_ms >= link->due || link->due == UINT64_MAX)
        tick(link, now_ms);
}

static link_t *new_link(engine_t *engine, const handler_t *handler) {
    link_t *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return NULL;
    link->engine = engine;
    link->handler = *handler;
    if (uv_timer_init(engine->loop, &link->timer) != 0) {
        free(link);
        return NULL;
    }
    link->timer.data = NULL;
    if (handler->tick != NULL)
        uv_timer_start(&link->timer, on_tick, 0, 0);
    link->next = engine->links;
    engine->links = link;
    return link;
}

int relay_attach(socket_t *socket) {
    engine_t *engine = socket->handle.engine;
    if (engine->result == NULL && (engine->result = malloc(sizeof(*engine->result))) == NULL)
        return UV_ENOMEM;
    if (engine->sends == NULL && (engine->sends = malloc(sizeof(engine->result->sends))) == NULL)
        return UV_ENOMEM;
    link_t *link = engine->links;
    while (link != NULL && link->handler.state != socket->handler.state)
        link = link->next;
    if (link == NULL && (link = new_link(engine, &socket->handler)) == NULL)
        return UV_ENOMEM;
    /* The first one stays first: it is the one that is used where any will do. */
    socket_t **at = &link->sockets;
    while (*at != NULL)
        at = &(*at)->next_in_link;
    *at = socket;
    socket->next_in_link = NULL;
    socket->link = link;
    return 0;
}

static void timer_closed(uv_handle_t *timer) {
    link_t *link = PART_OF(link_t, timer, timer);
    engine_t *engine = link->engine;
    link_t **at = &engine->links;
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    free(link);
    engine_look_again(engine);
}

/* After the last one its handler is never called again: Python may free what is behind it once it is told so. */
void relay_detach(socket_t *socket) {
    link_t *link = socket->link;
    if (link == NULL)
        return;
    socket_t **at = &link->sockets;
    while (*at != NULL && *at != socket)
        at = &(*at)->next_in_link;
    if (*at == socket)
        *at = socket->next_in_link;
    socket->link = NULL;
    if (link->sockets != NULL)
        return;
    memset(&link->handler, 0, sizeof(link->handler)); /* a new socket with this handler gets a link of its own */
    uv_close((uv_handle_t *)&link->timer, timer_closed);
}
