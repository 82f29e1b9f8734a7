/* How the store is made, for its own files: pages, cells, chains, indexes, sources. The essay is in _cache.pyx.
 *
 * One stretch of memory holds this structure, its small tables, and then pages of one size. A page is free, or belongs
 * to a pile of cells, to a hash table, or to the records of sources or groups. Nothing else is ever allocated, so what
 * the store uses is counted by pages, and cannot exceed the budget.
 */
#ifndef SOCKET_CORE_STORE_PARTS_H
#define SOCKET_CORE_STORE_PARTS_H

#include <string.h>

#include "_fork.h"
#include "_frame.h"
#include "_lock.h"
#include "_sip.h"
#include "_store.h"

#if defined(__GNUC__) || defined(__clang__)
#define STORE_PREFETCH(at) __builtin_prefetch(at)
#else
#define STORE_PREFETCH(at) ((void)(at))
#endif

enum {
    NO_PAGE = 0xFFFF,
    PAGE_SHIFT_MIN = 10,  /* pages of 1 KiB */
    UNIT_SHIFT_MIN = 1,   /* a cell's end is told in units of 2 bytes */
    ITEM_BITS = 23,       /* by a number of so many bits; so are sources */
    PLAIN_BYTES = 1 << (ITEM_BITS + UNIT_SHIFT_MIN), /* with a budget beyond this, 16 MiB, both grow */

    FOOTER_BYTES = 34,
    HEAD_BYTES = FRAME_AT_CLOCK, /* of a frame: what the footer tells in fewer bits */
    CELL_MIN_BYTES = FRAME_HEADER_BYTES - HEAD_BYTES + FOOTER_BYTES,
    PILE_STEP_SHIFT = 3, /* from pile to pile, 8 bytes: finer ones would have more pages that are not full */
    PILES_MAX = (FRAME_MESSAGE_MAX_BYTES >> PILE_STEP_SHIFT) + 1,

    SHELVES_PER_KIND = STORE_HOPS_MAX + 1,
    SHELVES = STORE_KINDS * SHELVES_PER_KIND,

    SOURCES_MAX = 16383,        /* 14 bits; and one for each 4 KiB of the budget. 1 is of all others */
    SOURCES_PER_GROUP_MAX = 64, /* more of one network share one (F12, F18): so the largest is found by looking */
    COMMON = 1,

    EVICTIONS_MAX = 512     /* for one packet: more than piles can hide in pages that are not full */
};

/* ---- Cells. A packet's cell is named by its end, in units; 0 is none. ---- */

typedef uint32_t ref_t;

/* Links in a footer, to the next older and the next younger packet. */
enum { OF_SHELF = 0, OF_SOURCE = 2 };

/* The last bytes of a cell. It is never split between pages; the rest of a cell may be. */
typedef struct footer {
    uint8_t id[STORE_PREFIX_BYTES];
    uint8_t links[4][3]; /* older, younger: on its shelf, of its source */
    uint16_t fields[4];  /* 64 bits, see below; a footer is at an even place, and no more */
} footer_t;

_Static_assert(sizeof(footer_t) == FOOTER_BYTES, "a footer has no padding");

/* Packets in the order of age. */
typedef struct chain {
    ref_t oldest, youngest;
} chain_t;

/* All cells of one size, one after the other, without holes, through as many pages as that takes. */
typedef struct pile {
    uint32_t end;   /* of its last cell, in bytes; 0: it has none */
    uint32_t count; /* of its cells */
} pile_t;

/* ---- Hash tables ---- */

typedef struct table {
    uint16_t *pages; /* NO_PAGE: all of its buckets are empty */
    uint32_t page_count;
    uint32_t range;       /* buckets that a hash can mean */
    uint32_t most, tight, least; /* items: then it grows; then it shrinks, where memory is short; and where it is not */
} table_t;

typedef uint64_t (*hash_fn)(const store_t *store, uint32_t item);

typedef struct index {
    table_t now, old; /* while it changes its size: what hashes below `border` is in `now`, the rest in `old` */
    uint64_t border;
    uint32_t moved; /* buckets of `old` that are behind */
    int moving;
    uint32_t count;
    uint32_t page_room; /* entries of the two lists of pages */
    hash_fn hash;
    int of_cells; /* and not of sources */
} index_t;

/* ---- Records of one size in pages, known by numbers from 1 ---- */

typedef struct records {
    uint16_t *pages;
    uint16_t *used;  /* of each page */
    uint16_t *first; /* free record of each page, 0: none; each begins with the number of the next */
    uint32_t record_bytes, per_page, page_room, most, count;
    uint64_t inverse; /* of per_page, times 2**32: divides without a division */
    uint32_t lowest; /* page that may have room */
} records_t;

typedef struct source {
    uint64_t key;
    chain_t chains[2]; /* of packets of own clusters, of foreign ones */
    uint32_t bytes;    /* of cells */
    uint16_t group;
    uint16_t next, previous; /* in the group, in the order of coming */
    uint16_t over_next;      /* among those over their share; the first of them knows no previous one */
    uint16_t over_previous;
    uint8_t tag;
    uint8_t over;
} source_t;

typedef struct group {
    uint64_t key;
    uint32_t bytes;
    uint16_t first, last; /* source */
    uint16_t sources;
    uint16_t over_next, over_previous;
    uint8_t tag;
    uint8_t over;
} group_t;

/* Whom a packet counts against, as it is at this moment. */
typedef struct account {
    uint32_t source, group; /* numbers; 0: nobody, or not known yet */
    int missing;            /* the source has to be entered first */
    uint64_t key, group_key;
    uint8_t tag, group_tag;
} account_t;

/* ---- All of it ---- */

struct store {
    lock_t lock;
    fork_guard_t guard;
    store_config_t config;
    size_t mapped_bytes, fixed_bytes;
    uint8_t *pages;
    uint32_t page_shift, unit_shift, page_count;
    uint32_t pages_used;
    uint32_t fresh;       /* the first page that was never used: its memory costs nothing yet */
    uint16_t free_page;   /* the last one that was given back */
    uint16_t *below;      /* of each page: the one before it in its pile, or in the list of free ones */
    uint32_t cell_base, step_shift, foot_bytes; /* in whole units */
    uint64_t tick_ms, epoch, now_ms;           /* the epoch is in ticks */
    uint32_t life_ticks;
    uint32_t source_limit, group_limit, own_limit, cluster_limit; /* in bytes of cells */
    ref_t hole;           /* a cell without a packet, while one is inserted */
    uint32_t hole_pile, hole_source; /* and for whom it still counts */
    uint32_t cell_bytes[STORE_KINDS];
    uint32_t kinds[STORE_KINDS];
    uint64_t frame_bytes;
    uint64_t inserted, known, refused, evicted, expired, removed;
    chain_t shelves[SHELVES];
    uint32_t stocked[STORE_KINDS]; /* bits: shelves that are not empty */
    pile_t piles[PILES_MAX];
    index_t ids, nexts, source_index, group_index;
    records_t sources, groups;
    uint16_t over_sources[2], over_groups[2]; /* first and last that are over their share */
    uint32_t source_changes; /* how often a source came or went: numbers that were looked up before may mean others */
    address_t last_address;  /* what was looked up last, and found: packets come in bursts */
    account_t last_account;
    uint32_t last_changes;
    uint64_t end_now_ms; /* the time for which `end_tick` was computed */
    uint64_t end_tick;
};

/* ---- Pages (_store_pages.c) ---- */

static inline uint8_t *page_at(const store_t *store, uint32_t page) {
    return store->pages + ((size_t)page << store->page_shift);
}

static inline uint32_t pages_free(const store_t *store) {
    return store->page_count - store->pages_used;
}

/* Less than a sixteenth is left. */
static inline int memory_is_short(const store_t *store) {
    return pages_free(store) < store->page_count >> 4;
}

uint32_t page_take(store_t *store); /* NO_PAGE: there is none */
void page_give(store_t *store, uint32_t page);
store_t *store_map(size_t *bytes);
void store_unmap(store_t *store);

/* ---- Footers ---- */

static inline footer_t *footer_of(const store_t *store, ref_t ref) {
    return (footer_t *)(void *)(store->pages + ((size_t)ref << store->unit_shift) - FOOTER_BYTES);
}

static inline ref_t link_of(const footer_t *footer, int which) {
    const uint8_t *link = footer->links[which];
    return (ref_t)link[0] | ((ref_t)link[1] << 8) | ((ref_t)link[2] << 16);
}

static inline void link_set(footer_t *footer, int which, ref_t ref) {
    uint8_t *link = footer->links[which];
    link[0] = (uint8_t)ref;
    link[1] = (uint8_t)(ref >> 8);
    link[2] = (uint8_t)(ref >> 16);
}

static inline uint64_t fields_of(const footer_t *footer) {
    uint64_t fields;
    memcpy(&fields, footer->fields, sizeof(fields));
    return fields;
}

#define FOOTER_FIELD(name, shift, bits)                                                              \
    static inline uint32_t name##_of(const footer_t *footer) {                                       \
        return (uint32_t)(fields_of(footer) >> (shift)) & ((1u << (bits)) - 1u);                     \
    }                                                                                                \
    static inline void name##_set(footer_t *footer, uint32_t value) {                                \
        uint64_t kept = fields_of(footer) & ~((((uint64_t)1 << (bits)) - 1u) << (shift));            \
        kept |= (uint64_t)value << (shift);                                                          \
        memcpy(footer->fields, &kept, sizeof(kept));                                                 \
    }

FOOTER_FIELD(type, 0, 4)
FOOTER_FIELD(postage, 4, 4)
FOOTER_FIELD(shelf, 8, 6)
FOOTER_FIELD(source, 14, 14)
FOOTER_FIELD(gap, 28, 5)     /* in units, before the footer */
FOOTER_FIELD(length, 33, 11) /* of the message */
FOOTER_FIELD(end, 44, 20)    /* of the term, in ticks since the epoch */

enum { END_MAX = (1 << 20) - 1 };

static inline uint32_t size_of(const footer_t *footer) {
    return length_of(footer) + FRAME_HEADER_BYTES;
}

static inline uint32_t kind_of(const footer_t *footer) {
    return shelf_of(footer) / SHELVES_PER_KIND;
}

static inline uint32_t hops_of(const footer_t *footer) {
    return shelf_of(footer) % SHELVES_PER_KIND;
}

static inline uint32_t pile_for(const store_t *store, uint32_t size) {
    return (size - FRAME_HEADER_BYTES + (1u << store->step_shift) - 1) >> store->step_shift;
}

static inline uint32_t pile_cell_bytes(const store_t *store, uint32_t pile) {
    return store->cell_base + (pile << store->step_shift);
}

/* ---- Records ---- */

static inline uint32_t record_page(const records_t *records, uint32_t number) {
    return (uint32_t)(((number - 1) * records->inverse) >> 32);
}

static inline void *record_at(const store_t *store, const records_t *records, uint32_t number) {
    uint32_t page = record_page(records, number), place = number - 1 - page * records->per_page;
    return page_at(store, records->pages[page]) + (size_t)place * records->record_bytes;
}

static inline source_t *source_at(const store_t *store, uint32_t number) {
    return record_at(store, &store->sources, number);
}

static inline group_t *group_at(const store_t *store, uint32_t number) {
    return record_at(store, &store->groups, number);
}

static inline chain_t *source_chain(const store_t *store, uint32_t number, uint32_t kind) {
    return &source_at(store, number)->chains[kind - STORE_CLUSTER];
}

/* ---- Chains: oldest first. `which` is OF_SHELF or OF_SOURCE; the link to the younger is the next one. ---- */

static inline void chain_append(store_t *store, chain_t *chain, ref_t ref, int which) {
    footer_t *footer = footer_of(store, ref);
    link_set(footer, which, chain->youngest);
    link_set(footer, which + 1, 0);
    if (chain->youngest)
        link_set(footer_of(store, chain->youngest), which + 1, ref);
    else
        chain->oldest = ref;
    chain->youngest = ref;
}

static inline void chain_remove(store_t *store, chain_t *chain, ref_t ref, int which) {
    const footer_t *footer = footer_of(store, ref);
    ref_t older = link_of(footer, which), younger = link_of(footer, which + 1);
    if (older)
        link_set(footer_of(store, older), which + 1, younger);
    else
        chain->oldest = younger;
    if (younger)
        link_set(footer_of(store, younger), which, older);
    else
        chain->youngest = older;
}

/* ---- Cells (_store_cells.c) ---- */

/* How many pages one more cell of this pile takes. */
uint32_t pile_need(const store_t *store, uint32_t pile);
/* One more cell; its footer tells nothing but the gap. The pages are there. */
ref_t pile_add(store_t *store, uint32_t pile);
/* Takes the cell, in which there is nothing any more, out of its pile: the last one moves into its place. */
void pile_remove(store_t *store, uint32_t pile, ref_t ref);
void cell_write(store_t *store, ref_t ref, const uint8_t *frame, uint32_t size);
/* Bytes `at` to `at` + `count` of the frame, which are not of its head. */
void cell_read(const store_t *store, ref_t ref, uint32_t at, uint32_t count, uint8_t *bytes);
void cell_frame(const store_t *store, ref_t ref, uint8_t *frame);
void cell_prefetch(const store_t *store, ref_t ref, uint32_t at);
/* The cell that ends before this one, in the same pile; 0 for the first. */
ref_t cell_below(const store_t *store, ref_t ref);


/* ---- Hash tables (_store_index.c) ---- */

enum { INDEX_MOVE_PAGES = 3 }; /* what one step from size to size may take */

/* How many pages an index of so many items may come to need, and the bytes of its two lists of pages. */
uint32_t index_pages_for(const store_t *store, uint32_t items);
size_t index_lists_bytes(uint32_t page_room);
int index_init(store_t *store, index_t *index, hash_fn hash, uint16_t *lists, uint32_t page_room);
/* Pages that have to be free before one more is put in. */
static inline uint32_t index_need(const store_t *store, const index_t *index) {
    int tight = index->count < index->now.tight && memory_is_short(store);
    return index->moving || tight || index->count >= index->now.most ? INDEX_MOVE_PAGES : 0;
}

/* 0, or -1 where there is no place: it is not in the index. */
int index_put(store_t *store, index_t *index, uint64_t hash, uint32_t item);
/* Whether it was in the index. */
int index_drop(store_t *store, index_t *index, uint64_t hash, uint32_t item);
int index_replace(store_t *store, index_t *index, uint64_t hash, uint32_t item, uint32_t with);
/* All items, one after the other, from a cursor of 0 on; 0 after the last. */
uint32_t index_each(const store_t *store, const index_t *index, uint32_t *cursor);
/* NULL, or what is wrong; the number of pages is added to *pages. */
const char *index_check(const store_t *store, const index_t *index, uint32_t *pages);

/* ---- Sources and groups (_store_sources.c) ---- */

size_t sources_lists_bytes(const store_t *store);
/* In two steps: what they need, with `lists` NULL; then, with pages to be had, the rest. 0, or -1. */
int sources_init(store_t *store, uint16_t *lists);
/* Valid until a source comes or goes, or somebody else is looked up. */
const account_t *sources_identify(store_t *store, const address_t *address);
uint32_t sources_need(const store_t *store);
/* The number of a source that was missing; the pages are there. */
uint32_t sources_enter(store_t *store, const account_t *account);
/* A cell more, or less, for a source; one that has nothing left is forgotten. */
void sources_charge(store_t *store, uint32_t number, int32_t bytes);
/* Of a group: the source that holds most and has packets of this kind; 0: none has. */
uint32_t sources_largest(const store_t *store, uint32_t group, store_kind_t kind);
/* Of those over their share, the source that holds most and has foreign packets; 0: there is none. */
uint32_t sources_over(const store_t *store);
uint32_t source_of_key(const store_t *store, uint64_t key, uint8_t tag);
uint32_t group_of_key(const store_t *store, uint64_t key, uint8_t tag);

/* ---- Packets (_store.c, _store_packets.c) ---- */

/* Both halves of a product of 128 bits, folded into one. */
static inline uint64_t fold_product(uint64_t one, uint64_t other) {
#if defined(__SIZEOF_INT128__) && (defined(__GNUC__) || defined(__clang__))
    __extension__ typedef unsigned __int128 wide_t;
    wide_t product = (wide_t)one * other;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t low = (one & 0xFFFFFFFF) * (other & 0xFFFFFFFF), high = (one >> 32) * (other >> 32);
    uint64_t left = (one >> 32) * (other & 0xFFFFFFFF), right = (one & 0xFFFFFFFF) * (other >> 32);
    uint64_t middle = (low >> 32) + (left & 0xFFFFFFFF) + (right & 0xFFFFFFFF);
    return ((low & 0xFFFFFFFF) | (middle << 32)) ^ (high + (left >> 32) + (right >> 32) + (middle >> 32));
#endif
}

/* Where an id falls in a table. Others can choose ids, and never see where they fall; so two products with a secret
 * will do, at a tenth of the time that SipHash takes, which would be half of all that an index does. */
static inline uint64_t id_hash(const store_t *store, const uint8_t *id) {
    const uint64_t *key = store->config.key;
    uint64_t first = sip_load(id) ^ key[0], last = sip_load(id + STORE_PREFIX_BYTES - 8) ^ key[1];
    return fold_product(fold_product(first, last) ^ key[1], 0x9E3779B97F4A7C15u ^ key[0]);
}

/* The same for a nextId, which is whatever its sender writes: all of it counts, or thousands would fall into one place
 * (F15). 0 where there is none. */
static inline uint64_t next_hash(const store_t *store, const uint8_t next[FRAME_ID_BYTES]) {
    const uint64_t *key = store->config.key;
    uint64_t words[4] = {sip_load(next), sip_load(next + 8), sip_load(next + 16), sip_load(next + 24)};
    if ((words[0] | words[1] | words[2] | words[3]) == 0)
        return 0;
    uint64_t one = fold_product(words[0] ^ key[0], words[1] ^ key[1]);
    uint64_t other = fold_product(words[2] ^ key[1] ^ 0xD6E8FEB86659FD93u, words[3] ^ key[0] ^ 0xA0761D6478BD642Fu);
    return fold_product(one ^ key[1], other ^ 0x9E3779B97F4A7C15u ^ key[0]);
}

/* The same of cells in the store. */
uint64_t cell_id_hash(const store_t *store, uint32_t ref);
uint64_t cell_next_hash(const store_t *store, uint32_t ref);
ref_t store_look_up(const store_t *store, const uint8_t *id, uint64_t hash);
/* The packets under a nextId, STORE_PREVIOUS_MAX at most. */
size_t store_indexed_previous(const store_t *store, const uint8_t *next, uint64_t hash, ref_t *refs);

/* Time never goes back: the later of this and all that was told before. */
uint64_t store_observe(store_t *store, uint64_t now_ms);
/* The end of a term that begins now: the first tick that is not before it. */
uint32_t store_term_end(store_t *store);
uint64_t store_expires_ms(const store_t *store, const footer_t *footer);

/* The content of a cell has moved: all that pointed there points to where it is now. */
void packet_moved(store_t *store, ref_t from, ref_t to);

/* Whom a new packet displaces when memory is short (_store_evict.c); 0: nobody. */
typedef struct newcomer {
    store_kind_t kind;
    uint32_t hops, pile, cell_bytes;
    const account_t *account;
} newcomer_t;

ref_t store_victim(const store_t *store, const newcomer_t *newcomer);
/* Asks for the memory of who will likely be next, so that it is there by then. */
void store_foresee(const store_t *store);

/* The first and the last bit that is set, of at least one. */
static inline uint32_t lowest_bit(uint32_t bits) {
#if defined(__GNUC__) || defined(__clang__)
    return (uint32_t)__builtin_ctz(bits);
#else
    uint32_t found = 0;
    for (; !(bits & 1); bits >>= 1)
        found++;
    return found;
#endif
}

static inline uint32_t highest_bit(uint32_t bits) {
#if defined(__GNUC__) || defined(__clang__)
    return 31u - (uint32_t)__builtin_clz(bits);
#else
    uint32_t found = 0;
    while (bits >>= 1)
        found++;
    return found;
#endif
}

#endif
