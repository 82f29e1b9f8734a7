/* The core's cache from C, without Python: the insertion of new frames, one by one, into a cache that is full.
 *
 *     store
 *
 * The ids are known, and each frame is copied to where the processor's first cache has it, as in a relay that has just
 * hashed it; neither is measured.
 */
#include "common.h"

#include "_sha256.h"
#include "_store.h"

enum { POOL = 704 * BATCH };

static uint8_t (*frames)[FRAME_BYTES], (*ids)[SHA256_BYTES];
static store_t *store;
static int64_t inside_ns;

static int64_t clock_of_insertions(void) {
    return inside_ns;
}

static void insert_batch(long at) {
    static uint8_t near[BATCH][STRIDE];
    static const address_t source = {.family = 4, .port = 9, .ip = {127, 0, 0, 1}};
    for (long i = 0; i < BATCH; i++)
        memcpy(near[i], frames[at + i], FRAME_BYTES);
    int64_t begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    store_lock(store);
    for (long i = 0; i < BATCH; i++)
        store_prefetch(store, ids[at + i]);
    for (long i = 0; i < BATCH; i++)
        store_insert(store, near[i], FRAME_BYTES, ids[at + i], STORE_FOREIGN, &source, 1000);
    store_unlock(store);
    inside_ns += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
}

static long insert(long count, double seconds) {
    static long at; /* where the last call ended */
    store_stats_t before, after;
    (void)seconds;
    store_stats(store, &before);
    for (long done = 0; done < count; done += BATCH) {
        insert_batch(at);
        at = (at + BATCH) % POOL;
    }
    store_stats(store, &after);
    return (long)(after.inserted - before.inserted);
}

int main(void) {
    store_config_t config = {.budget_bytes = 16u << 20,
                             .life_ms = 6 * 3600 * 1000,
                             .postage = 8,
                             .source_permille = 1000,
                             .group_permille = 1000,
                             .own_permille = 500,
                             .cluster_permille = 750,
                             .group_bits_v4 = 24,
                             .group_bits_v6 = 48,
                             .key = {0x1234567890ABCDEFu, 0xFEDCBA0987654321u},
                             .ids = sha256_frame_ids};
    frames = malloc(sizeof(*frames) * POOL);
    ids = malloc(sizeof(*ids) * POOL);
    store = store_new(&config);
    if (frames == NULL || ids == NULL || store == NULL)
        die("malloc");
    for (uint32_t i = 0; i < POOL; i++) {
        const uint8_t *frame = frames[i];
        size_t size = FRAME_BYTES;
        make_frame(frames[i], 1, i);
        sha256_frame_ids(&frame, &size, 1, &ids[i]);
    }
    insert(POOL, 0);
    return converse(0, insert, clock_of_insertions);
}
