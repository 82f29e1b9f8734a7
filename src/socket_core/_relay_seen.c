#include "_relay_seen.h"

#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#define PREFETCH(at) __builtin_prefetch(at)
#else
#define PREFETCH(at) ((void)(at))
#endif

enum { SEEN_GROWTH = 4, SEEN_FIRST_SHARE = 256 };

typedef struct place {
    uint32_t tag;
    uint8_t more;
} place_t;

/* The low 40 bits of the hash are kept, the high ones name the line. Places that are free hold zeros, so a tag is
 * none. */
static inline place_t place_of(uint64_t hash) {
    uint32_t tag = (uint32_t)hash;
    place_t place = {tag + (tag == 0), (uint8_t)(hash >> 32)};
    return place;
}

static inline uint32_t line_of(const seen_generation_t *generation, uint64_t hash) {
    return (uint32_t)(hash >> 40) & (generation->line_count - 1);
}

/* Whether any place has the tag: nearly always there is none, and that is all that has to be known. */
static inline int line_has_tag(const seen_line_t *line, uint32_t tag) {
#if defined(__GNUC__)
    typedef uint32_t four_t __attribute__((vector_size(16), may_alias));
    const four_t *tags = (const four_t *)(const void *)line->tags, wanted = {tag, tag, tag, tag};
    four_t equal = (four_t)((tags[0] == wanted) | (tags[1] == wanted) | (tags[2] == wanted));
    uint64_t halves[2];
    memcpy(halves, &equal, sizeof(halves));
    return (halves[0] | halves[1]) != 0;
#else
    int found = 0;
    for (int i = 0; i < SEEN_LINE_IDS; i++)
        found |= line->tags[i] == tag;
    return found;
#endif
}

static int line_contains(const seen_line_t *line, place_t place) {
    if (!line_has_tag(line, place.tag))
        return 0;
    for (int i = 0; i < SEEN_LINE_IDS; i++) {
        if (line->tags[i] == place.tag && line->more[i] == place.more)
            return 1;
    }
    return 0;
}

/* A line that is full is followed by the next; one at least in four places is free, so that this ends. */
static int generation_contains(const seen_generation_t *generation, uint64_t hash) {
    place_t place = place_of(hash);
    uint32_t at = line_of(generation, hash);
    for (;;) {
        const seen_line_t *line = &generation->lines[at];
        if (line_contains(line, place))
            return 1;
        if (line->count < SEEN_LINE_IDS)
            return 0;
        at = (at + 1) & (generation->line_count - 1);
    }
}

static void generation_add(seen_generation_t *generation, uint64_t hash) {
    place_t place = place_of(hash);
    uint32_t at = line_of(generation, hash);
    while (generation->lines[at].count == SEEN_LINE_IDS)
        at = (at + 1) & (generation->line_count - 1);
    seen_line_t *line = &generation->lines[at];
    line->tags[line->count] = place.tag;
    line->more[line->count] = place.more;
    line->count++;
    generation->count++;
}

static int generation_init(seen_generation_t *generation, uint32_t line_count) {
    size_t size = (size_t)line_count * sizeof(seen_line_t);
    generation->memory = calloc(1, size + sizeof(seen_line_t));
    if (generation->memory == NULL)
        return -1;
    uintptr_t start = (uintptr_t)generation->memory;
    generation->lines = (seen_line_t *)(start + (sizeof(seen_line_t) - start % sizeof(seen_line_t)));
    generation->line_count = line_count;
    generation->count = 0;
    return 0;
}

static void generation_clear(seen_generation_t *generation) {
    memset(generation->lines, 0, (size_t)generation->line_count * sizeof(seen_line_t));
    generation->count = 0;
}

static void forget_oldest(seen_t *seen) {
    free(seen->generations[0].memory);
    seen->generation_count--;
    memmove(&seen->generations[0], &seen->generations[1], seen->generation_count * sizeof(seen_generation_t));
}

/* The oldest generation is emptied and becomes the newest. */
static void turn(seen_t *seen) {
    seen_generation_t oldest = seen->generations[0];
    generation_clear(&oldest);
    memmove(&seen->generations[0], &seen->generations[1], (seen->generation_count - 1) * sizeof(seen_generation_t));
    seen->generations[seen->generation_count - 1] = oldest;
}

static uint32_t lines_held(const seen_t *seen) {
    uint32_t lines = 0;
    for (uint32_t i = 0; i < seen->generation_count; i++)
        lines += seen->generations[i].line_count;
    return lines;
}

static void renew(seen_t *seen) {
    uint32_t newest = seen->generations[seen->generation_count - 1].line_count;
    uint32_t next = newest >= seen->lines_max / SEEN_GROWTH ? seen->lines_max : newest * SEEN_GROWTH;
    while (seen->generation_count > 1 && seen->generations[0].line_count < next &&
           lines_held(seen) + next > 2 * seen->lines_max)
        forget_oldest(seen);
    if (seen->generation_count > 1 && lines_held(seen) + next > 2 * seen->lines_max) {
        turn(seen);
        return;
    }
    if (generation_init(&seen->generations[seen->generation_count], next) == 0)
        seen->generation_count++;
    else
        turn(seen);
}

int seen_init(seen_t *seen, size_t bytes) {
    memset(seen, 0, sizeof(*seen));
    uint32_t lines = 1;
    while ((size_t)lines * 2 * sizeof(seen_line_t) <= bytes / 2)
        lines *= 2;
    seen->lines_max = lines;
    uint32_t first = lines / SEEN_FIRST_SHARE;
    if (generation_init(&seen->generations[0], first < 16 ? 16 : first) != 0)
        return -1;
    seen->generation_count = 1;
    return 0;
}

void seen_clear(seen_t *seen) {
    while (seen->generation_count > 0)
        forget_oldest(seen);
}

void seen_prefetch(const seen_t *seen, uint64_t hash) {
    for (uint32_t i = 0; i < seen->generation_count; i++)
        PREFETCH(&seen->generations[i].lines[line_of(&seen->generations[i], hash)]);
}

int seen_contains(const seen_t *seen, uint64_t hash) {
    for (uint32_t i = seen->generation_count; i > 0; i--) {
        if (generation_contains(&seen->generations[i - 1], hash))
            return 1;
    }
    return 0;
}

void seen_add(seen_t *seen, uint64_t hash) {
    const seen_generation_t *newest = &seen->generations[seen->generation_count - 1];
    if (newest->count >= newest->line_count * SEEN_LINE_FULL)
        renew(seen);
    generation_add(&seen->generations[seen->generation_count - 1], hash);
}

size_t seen_count(const seen_t *seen) {
    size_t count = 0;
    for (uint32_t i = 0; i < seen->generation_count; i++)
        count += seen->generations[i].count;
    return count;
}

size_t seen_capacity(const seen_t *seen) {
    return (size_t)seen->lines_max * SEEN_LINE_FULL;
}

size_t seen_bytes(const seen_t *seen) {
    return (size_t)lines_held(seen) * sizeof(seen_line_t);
}
