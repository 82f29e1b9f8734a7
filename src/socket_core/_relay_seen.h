/* Which packets a relay has seen: a set of ids that forgets the oldest, in a fixed amount of memory.
 *
 * A flood of new packets must neither grow it nor be looked for one by one to be forgotten, so it is made of
 * generations: the newest takes what is added, all are asked, and the oldest is dropped as a whole. It begins with
 * one of a few lines, and each next one is four times as large, up to half of the budget; from then on there are two of
 * that size, and one at least of them full. So nothing is forgotten before `seen_capacity` more have been added.
 *
 * An id is kept as 40 bits of a keyed hash, in a line that others of its bits name. One cache line is looked at for each
 * generation. A new packet is taken for one that was seen, and lost here, once in some 2^35 times; nobody who does not
 * know the key can bring that about.
 */
#ifndef SOCKET_CORE_RELAY_SEEN_H
#define SOCKET_CORE_RELAY_SEEN_H

#include <stddef.h>
#include <stdint.h>

enum {
    SEEN_LINE_IDS = 12,       /* places in a line */
    SEEN_LINE_FULL = 9,       /* ids for each line, on average, when a generation is full */
    SEEN_GENERATIONS_MAX = 8  /* each is four times the one before, so these reach far beyond the largest budget */
};

#define SEEN_BYTES_MIN 8192u
#define SEEN_BYTES_MAX (64u * 1024u * 1024u)

typedef struct seen_line { /* a cache line */
    uint32_t tags[SEEN_LINE_IDS];
    uint8_t more[SEEN_LINE_IDS]; /* 8 further bits of each tag */
    uint8_t count;
    uint8_t reserved[3];
} seen_line_t;

typedef struct seen_generation {
    seen_line_t *lines;
    void *memory; /* of `lines`, which begin at a multiple of their size */
    uint32_t line_count; /* a power of two */
    uint32_t count;
} seen_generation_t;

typedef struct seen {
    seen_generation_t generations[SEEN_GENERATIONS_MAX]; /* the newest is the last */
    uint32_t generation_count;
    uint32_t lines_max; /* of one generation: half of the budget */
} seen_t;

/* 0, or -1 for lack of memory. `bytes`, SEEN_BYTES_MIN to SEEN_BYTES_MAX, is rounded down to a power of two. */
int seen_init(seen_t *seen, size_t bytes);
void seen_clear(seen_t *seen);

/* `hash`: keyed, of all of an id. */
void seen_prefetch(const seen_t *seen, uint64_t hash);
int seen_contains(const seen_t *seen, uint64_t hash);
/* Adds one that is not there. Where there is no memory to grow, the oldest generation is forgotten early. */
void seen_add(seen_t *seen, uint64_t hash);

/* The ids that it holds now; that it holds at least, once it has been full; and its memory in bytes. */
size_t seen_count(const seen_t *seen);
size_t seen_capacity(const seen_t *seen);
size_t seen_bytes(const seen_t *seen);

#endif
