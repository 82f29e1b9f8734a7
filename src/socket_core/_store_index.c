/* A hash table in pages, which grows and shrinks a little at a time.
 *
 * It is made of buckets of one cache line, sixteen slots. A slot is the number of an item (23 bits), seven bits of its
 * hash, so that a look-up that finds nothing looks at one or two lines and seldom at an item, and how many buckets it
 * is away from home (2). An item is in the bucket that is its home; where that is full, in the first one behind that is
 * not. So a look-up ends at the first bucket that is not full, and where a full one loses an item, one that had to pass
 * it comes back. No mark is left behind, and four slots in five are used.
 *
 * The home is the hash's place on the line from the first bucket to the last. So the order of homes stays the same
 * whatever the size: to change it, the old table is moved over from its beginning, run by run, and its pages go as
 * those of the new table come. To move an item costs more than to put one in, since its hash has to be computed from
 * memory that nobody has looked at for long. So as long as there is memory, a table grows to twice its size; when there
 * is little, it shrinks to what it needs, and from then on grows by a little.
 *
 * The hash is keyed (`_sip.h`), so nobody can prepare ids that fill one bucket.
 */
#include "_store_buckets.h"

_Static_assert(NO_PAGE > (PLAIN_BYTES >> PAGE_SHIFT_MIN), "pages have numbers");

enum {
    SPARE = 4,        /* buckets beyond the last home */
    MOVE_BUCKETS = 4, /* at each change, while the size changes: several times what is put in meanwhile */
    LOAD_MOST = 81,   /* percent of the slots: then it grows. With more, buckets overflow */
    LOAD_NEW = 79,    /* what it shrinks to */
    LOAD_TIGHT = 75,  /* when it does so: where memory is short, */
    LOAD_LEAST = 30,  /* and where it is not */
    LOAD_LIMIT = 97   /* what is put in beyond this is not, where it could not grow in time */
};

#define BORDER_END ((uint64_t)1 << 32)

_Alignas(64) uint32_t store_no_bucket[WAYS];

/* The same, with its page where there was none; NULL: there is no page to be had, or the table ends. */
static uint32_t *bucket_make(store_t *store, const table_t *table, uint32_t bucket) {
    if (bucket >= buckets_of(store, table))
        return NULL;
    uint16_t *page = &table->pages[bucket >> page_buckets_shift(store)];
    if (*page == NO_PAGE) {
        uint32_t taken = page_take(store);
        if (taken == NO_PAGE)
            return NULL;
        memset(page_at(store, taken), 0, (size_t)1 << store->page_shift);
        *page = (uint16_t)taken;
    }
    return bucket_at(store, table, bucket);
}

/* ---- Putting in and taking out ---- */

/* Where this very item is: its bucket, and its slot there, NULL if it is nowhere. */
typedef struct spot {
    uint32_t bucket;
    uint32_t *at, *slot;
} spot_t;

static inline spot_t find_spot(const store_t *store, const table_t *table, uint64_t hash, uint32_t item) {
    uint32_t slot = item | mark_of(hash), home = home_of(table, hash);
    for (spot_t spot = {home, NULL, NULL};; spot.bucket++) {
        spot.at = bucket_at(store, table, spot.bucket);
        uint32_t found = slots_with(spot.at, ~0u, slot | away(spot.bucket - home));
        if (found)
            spot.slot = spot.at + lowest_bit(found);
        if (found || empty_slots(spot.at))
            return spot;
    }
}

static int put_into(store_t *store, const table_t *table, uint64_t hash, uint32_t item) {
    uint32_t home = home_of(table, hash), *first = bucket_at(store, table, home), room = empty_slots(first);
    if (room && first != NO_BUCKET) {
        first[lowest_bit(room)] = item | mark_of(hash);
        return 0;
    }
    for (uint32_t bucket = home;; bucket++) {
        uint32_t *at = bucket_make(store, table, bucket);
        if (at == NULL)
            return -1;
        uint32_t empty = empty_slots(at);
        if (empty) {
            at[lowest_bit(empty)] = item | mark_of(hash) | away(bucket - home);
            return 0;
        }
    }
}

/* How far from home an item is that is not there. */
static uint32_t distance_of(const store_t *store, const index_t *index, const table_t *table, uint32_t bucket,
                            uint32_t slot) {
    uint32_t distance = slot >> AWAY_SHIFT;
    return distance < DISTANT ? distance : bucket - home_of(table, index->hash(store, item_of(slot)));
}

/* One that had to pass this bucket, which was full: its slot, and the bucket that it is in. NULL: nobody had to. */
static uint32_t *find_passed(const store_t *store, const index_t *index, const table_t *table, uint32_t bucket,
                             uint32_t *found) {
    for (*found = bucket + 1;; ++*found) {
        uint32_t *at = bucket_at(store, table, *found);
        for (uint32_t others = ~slots_with(at, AWAY, 0) & 0xFFFF; others; others &= others - 1) {
            uint32_t *slot = at + lowest_bit(others);
            if (*found == bucket + 1 || distance_of(store, index, table, *found, *slot) >= *found - bucket)
                return slot;
        }
        if (empty_slots(at))
            return NULL;
    }
}

/* The bucket was full: who had to pass it comes back, and leaves the same behind. */
static void pull_back(const store_t *store, const index_t *index, const table_t *table, uint32_t bucket,
                      uint32_t *slot) {
    uint32_t full = 1;
    while (full) {
        uint32_t found, *passed = find_passed(store, index, table, bucket, &found);
        if (passed == NULL)
            break;
        uint32_t distance = distance_of(store, index, table, found, *passed) - (found - bucket);
        *slot = (*passed & ~AWAY) | away(distance);
        slot = passed;
        bucket = found;
        full = !empty_slots(bucket_at(store, table, bucket));
    }
    *slot = 0;
}

/* ---- Changing the size ---- */

/* So many items are this part of the slots of so many buckets. */
static uint32_t items_at(uint32_t buckets, uint32_t load) {
    return (uint32_t)((uint64_t)buckets * WAYS * load / 100);
}

static void table_shape(const store_t *store, table_t *table, uint32_t page_count) {
    table->page_count = page_count;
    table->range = buckets_of(store, table) - SPARE;
    table->most = items_at(table->range, LOAD_MOST);
    table->tight = table->least = 0;
    if (page_count > 1) {
        /* Never more than a smaller table takes. */
        uint32_t smaller = items_at(table->range - (1u << page_buckets_shift(store)), LOAD_NEW);
        table->tight = items_at(table->range, LOAD_TIGHT);
        table->tight = table->tight < smaller ? table->tight : smaller;
        table->least = items_at(table->range, LOAD_LEAST);
    }
    for (uint32_t i = 0; i < page_count; i++)
        table->pages[i] = NO_PAGE;
}

/* Pages for so many items, at the load of a table that has just changed. */
static uint32_t pages_for(const store_t *store, uint64_t items) {
    uint64_t buckets = items * 100 / (WAYS * LOAD_NEW) + SPARE;
    return (uint32_t)(buckets >> page_buckets_shift(store)) + 1;
}

/* The number of pages that a table should have that is too full or too empty; that which it has, for no change. */
static uint32_t pages_wanted(const store_t *store, const index_t *index) {
    uint32_t pages = index->now.page_count;
    if (index->count >= index->now.most) {
        uint32_t more = memory_is_short(store) ? pages / 32 + 1 : pages;
        return pages + more < index->page_room ? pages + more : index->page_room;
    }
    uint32_t fewer = pages_for(store, index->count);
    return fewer < pages ? fewer : pages;
}

static void begin_moving(store_t *store, index_t *index, uint32_t page_count) {
    table_t spare = index->old;
    index->old = index->now;
    index->now = spare;
    table_shape(store, &index->now, page_count);
    index->border = 0;
    index->moved = 0;
    index->moving = 1;
}

static void give_pages(store_t *store, table_t *table, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        if (table->pages[i] != NO_PAGE)
            page_give(store, table->pages[i]);
        table->pages[i] = NO_PAGE;
    }
}

/* The end of the run to be moved next: behind a bucket that is not full. So everybody there is at home there. */
static uint32_t run_end(const store_t *store, const index_t *index) {
    uint32_t bucket = index->moved, buckets = buckets_of(store, &index->old);
    while (bucket < buckets) {
        const uint32_t *at = bucket_at(store, &index->old, bucket++);
        for (int i = 0; i < WAYS && index->of_cells; i++) {
            if (at[i] != 0)
                STORE_PREFETCH(footer_of(store, item_of(at[i])));
        }
        if (empty_slots(at) && bucket >= index->moved + MOVE_BUCKETS)
            break;
    }
    return bucket;
}

/* The least hash (its upper half) whose home is this one or a later one. */
static uint64_t border_at(const table_t *table, uint32_t home) {
    return home >= table->range ? BORDER_END : (((uint64_t)home << 32) + table->range - 1) / table->range;
}

/* Pages that the new table lacks up to this hash, and a little beyond. */
static uint32_t pages_lacking(const store_t *store, const index_t *index, uint64_t border) {
    const table_t *table = &index->now;
    uint32_t last = (uint32_t)((border * table->range) >> 32) + SPARE, lacking = 0;
    uint32_t first = (uint32_t)((index->border * table->range) >> 32) >> page_buckets_shift(store);
    for (uint32_t i = first; i <= last >> page_buckets_shift(store) && i < table->page_count; i++)
        lacking += table->pages[i] == NO_PAGE;
    return lacking;
}

/* One run further; where there are too few pages, nothing is done. */
static void move_run(store_t *store, index_t *index) {
    uint32_t buckets = buckets_of(store, &index->old), end = run_end(store, index);
    uint64_t border = end < buckets ? border_at(&index->old, end) : BORDER_END;
    if (pages_lacking(store, index, border) > pages_free(store))
        return;
    for (uint32_t bucket = index->moved; bucket < end; bucket++) {
        uint32_t *at = bucket_at(store, &index->old, bucket);
        for (int i = 0; i < WAYS; i++) {
            uint32_t item = item_of(at[i]);
            if (item == 0)
                continue;
            at[i] = 0;
            if (put_into(store, &index->now, index->hash(store, item), item) != 0)
                index->count--; /* behind the spare buckets: never seen, and then it is only not found any more */
        }
    }
    uint32_t shift = page_buckets_shift(store);
    give_pages(store, &index->old, index->moved >> shift, end < buckets ? end >> shift : index->old.page_count);
    index->border = border;
    index->moved = end;
    index->moving = end < buckets;
}

static void change_size(store_t *store, index_t *index) {
    if (!index->moving) {
        uint32_t wanted = pages_wanted(store, index);
        if (wanted == index->now.page_count || pages_free(store) < INDEX_MOVE_PAGES)
            return;
        begin_moving(store, index, wanted);
    }
    move_run(store, index);
}

static inline void settle(store_t *store, index_t *index) {
    if (index_need(store, index) || index->count < index->now.least)
        change_size(store, index);
}

/* ---- What others call ---- */

uint32_t index_pages_for(const store_t *store, uint32_t items) {
    /* A little more than what it grows to, step by step. */
    return pages_for(store, (uint64_t)items * 9 / 8) + 2;
}

size_t index_lists_bytes(uint32_t page_room) {
    return 2 * (size_t)page_room * sizeof(uint16_t);
}

int index_init(store_t *store, index_t *index, hash_fn hash, uint16_t *lists, uint32_t page_room) {
    index->hash = hash;
    index->of_cells = hash == cell_id_hash || hash == cell_next_hash;
    index->page_room = page_room;
    index->now.pages = lists;
    index->old.pages = lists + page_room;
    table_shape(store, &index->now, 1);
    return bucket_make(store, &index->now, 0) == NULL ? -1 : 0;
}

int index_put(store_t *store, index_t *index, uint64_t hash, uint32_t item) {
    settle(store, index);
    if (index->count >= index->now.most && index->count >= items_at(index->now.range, LOAD_LIMIT))
        return -1;
    if (put_into(store, table_for(index, hash), hash, item) != 0)
        return -1;
    index->count++;
    return 0;
}

int index_drop(store_t *store, index_t *index, uint64_t hash, uint32_t item) {
    const table_t *table = table_for(index, hash);
    spot_t spot = find_spot(store, table, hash, item);
    if (spot.slot == NULL)
        return 0;
    if (empty_slots(spot.at))
        *spot.slot = 0;
    else
        pull_back(store, index, table, spot.bucket, spot.slot);
    index->count--;
    settle(store, index);
    return 1;
}

int index_replace(store_t *store, index_t *index, uint64_t hash, uint32_t item, uint32_t with) {
    spot_t spot = find_spot(store, table_for(index, hash), hash, item);
    if (spot.slot == NULL)
        return 0;
    *spot.slot = (*spot.slot & ~ITEM_MASK) | with;
    return 1;
}

uint32_t index_each(const store_t *store, const index_t *index, uint32_t *cursor) {
    uint32_t now = buckets_of(store, &index->now) << WAY_SHIFT;
    uint32_t old = index->moving ? buckets_of(store, &index->old) << WAY_SHIFT : 0;
    while (*cursor < now + old) {
        uint32_t at = (*cursor)++, place = at < now ? at : at - now;
        const table_t *table = at < now ? &index->now : &index->old;
        uint32_t slot = bucket_at(store, table, place >> WAY_SHIFT)[place & (WAYS - 1)];
        if (slot != 0)
            return item_of(slot);
    }
    return 0;
}

/* ---- Checking ---- */

/* That whoever is in this bucket is found; `full_since`: the first of the run of full buckets before it. */
static const char *check_bucket(const store_t *store, const index_t *index, const table_t *table, uint32_t bucket,
                                uint32_t full_since, uint32_t *items) {
    const uint32_t *at = bucket_at(store, table, bucket);
    for (int i = 0; i < WAYS; i++) {
        if (at[i] == 0)
            continue;
        uint64_t hash = index->hash(store, item_of(at[i]));
        uint32_t home = home_of(table, hash);
        if ((at[i] & ~ITEM_MASK & ~AWAY) != mark_of(hash))
            return "index: an item has another's mark";
        if (home > bucket || home < full_since || table_for(index, hash) != table)
            return "index: an item is where nobody looks for it";
        if ((at[i] & AWAY) != away(bucket - home))
            return "index: an item is not as far from home as it says";
        (*items)++;
    }
    return NULL;
}

static const char *check_table(const store_t *store, const index_t *index, const table_t *table, uint32_t *items,
                               uint32_t *pages) {
    uint32_t buckets = buckets_of(store, table), bucket = table == &index->old ? index->moved : 0;
    for (uint32_t i = 0; i < table->page_count; i++)
        *pages += table->pages[i] != NO_PAGE;
    for (uint32_t full_since = bucket; bucket < buckets; bucket++) {
        const char *wrong = check_bucket(store, index, table, bucket, full_since, items);
        if (wrong != NULL)
            return wrong;
        if (empty_slots(bucket_at(store, table, bucket)))
            full_since = bucket + 1;
    }
    return NULL;
}

const char *index_check(const store_t *store, const index_t *index, uint32_t *pages) {
    uint32_t items = 0;
    const char *wrong = check_table(store, index, &index->now, &items, pages);
    if (wrong == NULL && index->moving)
        wrong = check_table(store, index, &index->old, &items, pages);
    if (wrong != NULL)
        return wrong;
    return items == index->count ? NULL : "index: the count is wrong";
}
