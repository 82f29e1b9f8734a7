"""The engine under the loop (`_engine.h`), as Cython calls it."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from socket_core._address cimport address_t
from socket_core._handler cimport handler_t, outgoing_t
from socket_core.uv cimport uv_loop_t


cdef extern from '_engine.h' nogil:
    ctypedef struct engine_t:
        pass
    ctypedef struct handle_t:
        pass

    enum:
        RING_LEAST_BYTES
        RING_MOST_BYTES
        RING_DATAGRAM
        RING_WRITABLE
        RING_FAILED
        RING_DROPPED
        RING_FIRED
        RING_CLOSED

        HANDLE_LOOP
        HANDLE_SOCKET
        HANDLE_TIMER

        ENGINE_NEW
        ENGINE_RUNNING
        ENGINE_ENDING
        ENGINE_ENDED
        ENGINE_FORKED

        BACKEND_AUTO
        BACKEND_POLL
        BACKEND_UDP

        SOCKET_ERRORS

    ctypedef struct record_t:
        uint32_t length
        uint16_t kind
        uint16_t flags
        uint32_t handle
        uint32_t size
        uint64_t time
        address_t address

    int engine_new(engine_t **made, size_t ring_bytes, int backend)
    int engine_new_guest(engine_t **made, size_t ring_bytes, int backend, uv_loop_t *loop)
    void engine_free(engine_t *engine)
    int engine_state(const engine_t *engine)
    int engine_is_guest(const engine_t *engine)
    const char *engine_backend(const engine_t *engine)
    int engine_fd(const engine_t *engine)
    void engine_close(engine_t *engine)
    int engine_wait_end(engine_t *engine, uint64_t ns)
    bint engine_may_wait(engine_t *engine)

    const record_t *engine_next(engine_t *engine)
    void engine_taken(engine_t *engine, const record_t *record)
    void engine_rest(engine_t *engine, size_t found)
    bint engine_filled(engine_t *engine)
    int engine_wait(engine_t *engine, uint64_t ns)
    void engine_wake(engine_t *engine)

    ctypedef struct net_options_t:
        address_t address
        int reuse_address
        int reuse_port
        int ipv6_only
        int broadcast
        int joins
        int splits
        int receive_buffer
        int send_buffer

    ctypedef struct socket_options_t:
        net_options_t net
        size_t queue_bytes
        const handler_t *handler

    ctypedef enum net_option_t:
        NET_RECEIVE_BUFFER
        NET_SEND_BUFFER
        NET_TTL
        NET_BROADCAST
        NET_MULTICAST_TTL
        NET_MULTICAST_LOOP

    ctypedef enum send_mode_t:
        SEND_STRICT
        SEND_LOOSE

    ctypedef struct socket_stats_t:
        uint64_t received
        uint64_t received_bytes
        uint64_t sent
        uint64_t sent_bytes
        uint64_t queued
        uint64_t refused
        uint64_t dropped
        uint64_t overflowed
        uint64_t truncated
        int32_t codes[24]
        uint64_t counts[24]

    int socket_new(engine_t *engine, const socket_options_t *options, handle_t **made)
    int timer_new(engine_t *engine, uint64_t delay_ms, uint64_t repeat_ms, handle_t **made)
    void handle_release(handle_t *handle)
    uint32_t handle_number(const handle_t *handle)
    bint handle_is_closing(const handle_t *handle)
    void handle_close(handle_t *handle)
    void timer_set(handle_t *handle, uint64_t delay_ms, uint64_t repeat_ms)
    uint32_t timer_take_fired(handle_t *handle)

    size_t socket_send(handle_t *handle, const outgoing_t *items, size_t count, send_mode_t mode, int *error)
    int socket_connect(handle_t *handle, const address_t *address)
    void socket_peer(handle_t *handle, address_t *address)
    void socket_bound(const handle_t *handle, address_t *address)
    int socket_get(handle_t *handle, net_option_t option, int *value)
    int socket_set(handle_t *handle, net_option_t option, int value)
    int socket_multicast_interface(handle_t *handle, const char *interface_text)
    int socket_membership(
        handle_t *handle, const address_t *group, const char *interface_text, const address_t *source, int join
    )
    void socket_pause(handle_t *handle, int paused)
    size_t socket_queued(handle_t *handle)
    void socket_stats(handle_t *handle, socket_stats_t *stats)
    uint32_t handles_alive_of 'handles_alive'(int kind)

    void engine_fork_prepare()
    void engine_fork_parent()
    void engine_fork_child()
    uint64_t net_clock()

    int guest_shares_libuv(const char *path)
