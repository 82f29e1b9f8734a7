/* The inside of the engine: what its files share; see _engine.h for the whole.
 *
 * The life of a handle. Its memory has two owners: who made it, and the loop, which lets go when libuv has called back
 * that it is closed and the reader has been told. States go forward only:
 *
 *     made    known to the loop's list; its socket is there, its libuv handle is not yet
 *     open    its libuv handle is there
 *     closing asked to close (`gate`): nobody may begin to use it; those who do already, finish; the last one asks the
 *             loop to close the libuv handle
 *     gone    libuv has called back: the descriptor is closed, and the last event, RING_CLOSED, is on its way
 */
#ifndef SOCKET_CORE_ENGINE_PARTS_H
#define SOCKET_CORE_ENGINE_PARTS_H

#include "_system.h"

#include "_engine.h"
#include "_wake.h"

typedef struct socket socket_t;
typedef struct ticker ticker_t;
typedef struct link link_t;
typedef struct batch batch_t;

/* What the loop is asked to do with a handle. */
enum {
    ASK_OPEN = 1,
    ASK_TIMER = 2, /* `delay` and `repeat` are new */
    ASK_READ = 4,  /* `paused` is new */
    ASK_FLUSH = 8, /* the queue has something, or somebody waits for room in it */
    ASK_TELL = 16, /* `failure` is new */
    ASK_CLOSE = 32
};

/* What Python has yet to be told of a handle: kept here while the ring has no room, one of each kind. */
enum {
    TELL_WRITABLE = 1,
    TELL_FAILED = 2,
    TELL_FIRED = 4,
    TELL_CLOSED = 8
};

#define GATE_CLOSING 0x80000000u /* the other bits count those who use it */

enum {
    TABLE_SIZE = 256, /* chains of sockets by their number */
    READ_ROUNDS = 4   /* batches from one socket before others have their turn */
};

struct handle {
    engine_t *engine;
    uint32_t number;
    uint8_t kind;
    atom32_t owners;
    atom32_t gate;

    /* under the engine's lock */
    uint32_t asks;
    int gone;
    int opened; /* 1, or the error that opening it had */
    handle_t *next_asked;
    handle_t *next, *previous; /* all of the engine */

    /* the loop's */
    int is_open;
    uint32_t tells;
    int32_t failed;
    address_t failed_address;
    handle_t *next_untold;
};

typedef struct queued {
    struct queued *next;
    outgoing_t item; /* its data follows */
} queued_t;

struct socket {
    handle_t handle;
    net_t net;
    address_t bound;
    link_t *link; /* NULL: without a relay */
    handler_t handler;
    union {
        uv_poll_t poll;
        uv_udp_t udp;
    } uv;

    /* the loop's */
    int has_uv;
    int events;      /* for which it is watched */
    int stalled;     /* not read, since a batch of others is parked */
    socket_t *next_stalled, *next_in_link, *next_in_table;

    atom32_t paused;

    /* under `lock` */
    uv_mutex_t lock;
    address_t peer;
    queued_t *first, *last;
    size_t queue_most;
    atomz_t queue_bytes;
    atomz_t queue_count; /* 0: the way is free; read without the lock */
    int wants_room;      /* something was refused: to be told when there is room again */
    int32_t failure;     /* an error that another thread met, for the loop to tell of */
    address_t failure_address;

    /* counters: those of the loop are written by it alone */
    atomz_t received, received_bytes, dropped, truncated;
    atomz_t overflowed; /* when it was last asked for */
    atomz_t sent, sent_bytes, queued, refused;
    atom32_t codes[SOCKET_ERRORS];
    atomz_t counts[SOCKET_ERRORS];
};

struct ticker {
    handle_t handle;
    uv_timer_t uv;
    uint64_t delay, repeat; /* under the engine's lock */
    atom32_t fired;         /* since the reader was last told */
};

/* A handler in this loop, with all sockets that it is attached to, and its timer. */
struct link {
    engine_t *engine;
    handler_t handler;
    socket_t *sockets;
    uv_timer_t timer;
    uint64_t due; /* ms, or UINT64_MAX */
    link_t *next;
};

/* What came with one wake-up: up to 64 messages, each of one datagram or of several of equal size. */
typedef struct message {
    uint8_t *data;
    uint32_t size;
    uint32_t segment; /* the size of each datagram in it but the last; 0: it is one */
    socket_t *socket; /* NULL: done with */
    address_t address;
} message_t;

struct batch {
    message_t messages[NET_BATCH];
    size_t count;
    size_t at;      /* the next message to be handed on, and in it */
    uint32_t offset;
    uint64_t time;  /* ns */
};

/* How a system receives, and tells that there is room to send. All is called on the loop's thread. */
typedef struct backend {
    const char *name;
    int joins; /* takes trains of datagrams apart */
    /* A batch with its buffers, or NULL. The backend's own structure, which begins with it; freed by `free`. */
    batch_t *(*new_batch)(void);
    /* Of the engine's libuv handles, beside its own. `stop` closes them, and each ends in engine_part_closed. */
    int (*start)(engine_t *engine);
    void (*stop)(engine_t *engine);
    /* Initialises the libuv handle, and says so by `has_uv`; then it is closed in any case, even after an error. */
    int (*open)(socket_t *socket);
    /* Reads or not, waits for room or not, as socket_wants_* say now. */
    void (*watch)(socket_t *socket);
    /* Ends in socket_closed. */
    void (*close)(socket_t *socket);
} backend_t;

extern const backend_t backend_udp;
#ifdef __linux__
extern const backend_t backend_poll;
#endif

struct engine {
    uv_loop_t *loop;
    uv_loop_t own;
    uv_async_t async;
    uv_thread_t thread;
    const backend_t *backend;
    int guest;
    atom32_t state;
    atom32_t owners; /* the maker, and every handle */

    ring_t ring;
    wake_t wake;
    atom32_t starved; /* the loop waits for room in the ring */

    uv_mutex_t lock;
    uv_cond_t answered;
    /* under the lock */
    handle_t *asked, **asked_end;
    handle_t *handles;
    uint32_t last_number;
    uint64_t questions, answers; /* how many asks there were, and how many of them were done with */
    int async_open;
    int has_thread, joined;
    /* of a guest: the thread that runs the loop, or made us, until it has run; and whether the async does not keep the
     * loop alive now */
    uv_thread_t home;
    int has_run;
    int unreferenced;

    /* the loop's */
    int hungry; /* the ring was full */
    handle_t *untold, **untold_end;
    uint64_t dropped; /* datagrams, untold */
    batch_t *batch;
    batch_t *parked;  /* for which there was no room */
    socket_t *stalled;
    link_t *links;
    handler_result_t *result; /* what a handler asks for, and its sends in another order */
    outgoing_t *sends;
    socket_t *table[TABLE_SIZE];
    size_t parts; /* libuv handles of the engine itself */
    uv_check_t check;
    uv_timer_t retry;

    /* the reader's */
    void *keeper;
    size_t kept_for;

    engine_t *next_engine; /* all of the process, for forks */
};

/* _engine.c */
int engine_start(engine_t *engine); /* its own loop and thread, where they do not run yet */
/* Whether this thread is the one that runs the loop of a guest, as far as is known; under the lock. */
int engine_is_home(engine_t *engine);
void engine_part_closed(engine_t *engine);
void engine_look_again(engine_t *engine); /* something is closed: it may be the last */
void engine_publish(engine_t *engine); /* at the end of every callback that may have written to the ring */
void engine_release(engine_t *engine);


/* _engine_fork.c */
void fork_enter(engine_t *engine);
void fork_leave(engine_t *engine);

/* _engine_handle.c */
void handle_init(handle_t *handle, engine_t *engine, int kind);
/* Enters it into the engine and asks for it to be opened; waits for that where the loop is the engine's own. */
int handle_start(handle_t *handle);
void handle_ask(handle_t *handle, uint32_t asks);
/* As handle_ask, and waits until it is done, where the loop is the engine's own. */
void handle_ask_and_wait(handle_t *handle, uint32_t asks);
/* Begins to use it: 0, or UV_EBADF where it is closing. */
int handle_enter(handle_t *handle);
void handle_leave(handle_t *handle);
/* On the loop's thread: the libuv handle is closed. */
void handle_gone(handle_t *handle);
void handle_answer_asks(engine_t *engine);
void handle_close_all(engine_t *engine); /* under the lock */
void handle_count(int kind, int by);
void handle_count_reset(void);

/* _engine_events.c */
void events_tell(handle_t *handle, uint32_t tells);
void events_failed(handle_t *handle, int error, const address_t *address);
/* Writes what is untold as far as there is room; whether all is told. */
int events_flush(engine_t *engine);
void events_forget(engine_t *engine);
/* 0: there is no room. `id` may be NULL. */
int events_datagram(socket_t *socket, const uint8_t *data, uint32_t size, const address_t *address, uint64_t time,
                    uint32_t flags, const uint8_t *id);

/* _engine_socket.c and _engine_send.c */
int socket_open(socket_t *socket);
void socket_closed(socket_t *socket);
void socket_free(socket_t *socket);
socket_t *socket_by_number(engine_t *engine, uint32_t number);
int socket_wants_read(const socket_t *socket);
int socket_wants_room(const socket_t *socket);
void socket_flush(socket_t *socket);
void socket_writable(socket_t *socket); /* the system has room */
void socket_tell_failure(socket_t *socket);
void socket_drop_queue(socket_t *socket);
void socket_count_lost(socket_t *socket); /* the last time while it is open */
/* Counts an error of this socket. */
void socket_note(socket_t *socket, int error);
/* Reads all errors that came back, and tells of them. */
void socket_take_errors(socket_t *socket);

/* _engine_timer.c */
int timer_open(ticker_t *ticker);
void timer_apply(ticker_t *ticker);
void timer_close(ticker_t *ticker);

/* _engine_receive.c */
/* The batch to be filled; NULL for lack of memory. */
batch_t *receive_begin(engine_t *engine);
/* Hands on what is in the engine's batch, which is empty then, or parked. */
void receive_batch(engine_t *engine);
/* When the reader has made room: what is parked is handed on, and others are read again. */
void receive_resume(engine_t *engine);
/* Stops reading a socket until there is room. */
void receive_stall(socket_t *socket);
void receive_forget(socket_t *socket);

/* _engine_relay.c */
int relay_attach(socket_t *socket);
void relay_detach(socket_t *socket);
void relay_batch(link_t *link, socket_t *from, datagram_t *datagrams, size_t count, uint64_t time);

static inline socket_t *socket_of(handle_t *handle) {
    return (socket_t *)(void *)handle;
}

#define PART_OF(type, member, pointer) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

/* A counter that one thread writes and others read. */
static inline void count_own(atomz_t *counter, size_t by) {
    atomz_put(counter, atomz_peek(counter) + by);
}

#endif
