/* Packets: insertion, look-up, terms. What a packet is made of, and who gives way to whom, is in the other files. */
#include "_store_buckets.h"
#include "_store_parts.h"

/* ---- Beginning and end ---- */

static int config_is_right(const store_config_t *config) {
    return config->budget_bytes >= STORE_BUDGET_MIN_BYTES && config->budget_bytes <= STORE_BUDGET_MAX_BYTES &&
           config->life_ms > 0 && config->life_ms <= UINT64_MAX / 16 && config->postage > 0 &&
           config->postage <= STORE_POSTAGE_MAX && config->source_permille <= 1000 && config->group_permille <= 1000 &&
           config->own_permille <= 1000 && config->cluster_permille <= 1000 && config->group_bits_v4 <= 32 &&
           config->group_bits_v6 <= 64;
}

static uint32_t share_of(const store_config_t *config, uint32_t permille) {
    return (uint32_t)((uint64_t)config->budget_bytes * permille / 1000);
}

/* Numbers that follow from the configuration alone. */
static void shape(store_t *store) {
    const store_config_t *config = &store->config;
    uint32_t grown = 0;
    while (config->budget_bytes >> grown > (size_t)PLAIN_BYTES)
        grown++;
    store->page_shift = PAGE_SHIFT_MIN + grown;
    store->unit_shift = UNIT_SHIFT_MIN + grown;
    uint32_t unit = 1u << store->unit_shift;
    store->step_shift = store->unit_shift > PILE_STEP_SHIFT ? store->unit_shift : (uint32_t)PILE_STEP_SHIFT;
    store->cell_base = (CELL_MIN_BYTES + unit - 1) / unit * unit;
    store->foot_bytes = (FOOTER_BYTES + unit - 1) / unit * unit;
    /* A quarter of a million ticks to a life: 83 ms of 6 h. */
    store->tick_ms = (config->life_ms + (END_MAX >> 2) - 1) / (END_MAX >> 2);
    store->life_ticks = (uint32_t)((config->life_ms + store->tick_ms - 1) / store->tick_ms) + 1;
    store->source_limit = share_of(config, config->source_permille);
    store->group_limit = share_of(config, config->group_permille);
    store->own_limit = share_of(config, config->own_permille);
    store->cluster_limit = share_of(config, config->cluster_permille);
    store->ids.page_room = store->nexts.page_room =
        index_pages_for(store, (uint32_t)(config->budget_bytes / CELL_MIN_BYTES));
    store->free_page = NO_PAGE;
    sources_init(store, NULL);
}

/* Cuts what is behind the structure into lists and pages. */
static int divide(store_t *store, size_t bytes) {
    uint32_t page_bytes = 1u << store->page_shift;
    size_t used = (sizeof(*store) + 63) / 64 * 64, pages = bytes / page_bytes;
    uint8_t *at = (uint8_t *)store + used;
    store->below = (uint16_t *)(void *)at;
    uint16_t *ids = store->below + pages, *nexts = ids + 2 * (size_t)store->ids.page_room;
    uint16_t *sources = nexts + 2 * (size_t)store->nexts.page_room;
    used += pages * sizeof(uint16_t) + index_lists_bytes(store->ids.page_room) +
            index_lists_bytes(store->nexts.page_room) + sources_lists_bytes(store);
    used = (used + 63) / 64 * 64;
    if (bytes < used + 16 * (size_t)page_bytes)
        return -1;
    store->mapped_bytes = bytes;
    store->fixed_bytes = used;
    store->pages = (uint8_t *)store + used;
    store->page_count = (uint32_t)((bytes - used) >> store->page_shift);
    if (index_init(store, &store->ids, cell_id_hash, ids, store->ids.page_room) != 0 ||
        index_init(store, &store->nexts, cell_next_hash, nexts, store->nexts.page_room) != 0)
        return -1;
    return sources_init(store, sources);
}

store_t *store_new(const store_config_t *config) {
    size_t bytes = config->budget_bytes;
    store_t *store = config_is_right(config) ? store_map(&bytes) : NULL;
    if (store == NULL)
        return NULL;
    store->config = *config;
    store->mapped_bytes = bytes;
    shape(store);
    if (divide(store, bytes) != 0 || lock_init(&store->lock) != 0) {
        store_unmap(store);
        return NULL;
    }
    fork_guard_add(&store->guard, &store->lock);
    return store;
}

void store_free(store_t *store) {
    if (store == NULL)
        return;
    fork_guard_remove(&store->guard);
    lock_destroy(&store->lock);
    store_unmap(store);
}

void store_lock(store_t *store) {
    lock_acquire(&store->lock);
}

int store_try_lock(store_t *store) {
    return lock_try(&store->lock);
}

void store_unlock(store_t *store) {
    lock_release(&store->lock);
}

uint64_t store_life_ms(const store_t *store) {
    return store->config.life_ms;
}

/* ---- Time: in ticks since the epoch, so that 21 bits tell it. ---- */

/* After three lives, what is left of the old time is counted anew. */
static void move_epoch(store_t *store, uint64_t ticks) {
    for (uint32_t shelf = 0; shelf < SHELVES; shelf++) {
        for (ref_t ref = store->shelves[shelf].oldest; ref; ref = link_of(footer_of(store, ref), OF_SHELF + 1)) {
            footer_t *footer = footer_of(store, ref);
            end_set(footer, end_of(footer) > ticks ? end_of(footer) - (uint32_t)ticks : 0);
        }
    }
    store->epoch += ticks;
}

uint64_t store_observe(store_t *store, uint64_t now_ms) {
    /* So far off that no sum of it can pass the end of the numbers. */
    if (now_ms > UINT64_MAX / 4)
        now_ms = UINT64_MAX / 4;
    if (now_ms > store->now_ms)
        store->now_ms = now_ms;
    return store->now_ms;
}

uint32_t store_term_end(store_t *store) {
    if (store->end_now_ms != store->now_ms || store->end_tick == 0) {
        store->end_tick = (store->now_ms + store->config.life_ms + store->tick_ms - 1) / store->tick_ms;
        store->end_now_ms = store->now_ms;
    }
    uint64_t end = store->end_tick;
    if (store->kinds[0] + store->kinds[1] + store->kinds[2] == 0)
        store->epoch = end > store->life_ticks ? end - store->life_ticks : 0;
    if (end - store->epoch > END_MAX)
        move_epoch(store, end - store->epoch - store->life_ticks);
    return (uint32_t)(end - store->epoch);
}

uint64_t store_expires_ms(const store_t *store, const footer_t *footer) {
    return (store->epoch + end_of(footer)) * store->tick_ms;
}

/* ---- Looking up ---- */

uint64_t cell_id_hash(const store_t *store, uint32_t ref) {
    return id_hash(store, footer_of(store, ref)->id);
}

uint64_t cell_next_hash(const store_t *store, uint32_t ref) {
    uint8_t next[FRAME_ID_BYTES];
    cell_read(store, ref, FRAME_AT_NEXT_ID, FRAME_ID_BYTES, next);
    return next_hash(store, next);
}

ref_t store_look_up(const store_t *store, const uint8_t *id, uint64_t hash) {
    probe_t probe = index_seek(store, &store->ids, hash);
    ref_t ref;
    while ((ref = index_next(store, &probe)) != 0) {
        if (memcmp(footer_of(store, ref)->id, id, STORE_PREFIX_BYTES) == 0)
            break;
    }
    return ref;
}

static void copy_out(const store_t *store, ref_t ref, store_packet_t *packet) {
    const footer_t *footer = footer_of(store, ref);
    packet->size = size_of(footer);
    packet->hops = hops_of(footer);
    packet->postage = postage_of(footer);
    packet->kind = (store_kind_t)kind_of(footer);
    packet->expires_ms = store_expires_ms(store, footer);
    cell_frame(store, ref, packet->frame);
}

void store_prefetch(const store_t *store, const uint8_t id[32]) {
    index_prefetch(store, &store->ids, id_hash(store, id));
}

int store_contains(const store_t *store, const uint8_t id[32]) {
    return store_look_up(store, id, id_hash(store, id)) != 0;
}

int store_find(const store_t *store, const uint8_t id[32], store_packet_t *packet) {
    ref_t ref = store_look_up(store, id, id_hash(store, id));
    if (ref)
        copy_out(store, ref, packet);
    return ref != 0;
}

size_t store_indexed_previous(const store_t *store, const uint8_t *next, uint64_t hash, ref_t *refs) {
    probe_t probe = index_seek(store, &store->nexts, hash);
    size_t count = 0;
    ref_t ref;
    while (count < STORE_PREVIOUS_MAX && (ref = index_next(store, &probe)) != 0) {
        uint8_t theirs[FRAME_ID_BYTES];
        cell_read(store, ref, FRAME_AT_NEXT_ID, FRAME_ID_BYTES, theirs);
        if (memcmp(theirs, next, FRAME_ID_BYTES) == 0)
            refs[count++] = ref;
    }
    return count;
}

size_t store_previous(const store_t *store, const uint8_t id[32], store_packet_t *packets, size_t room) {
    ref_t refs[STORE_PREVIOUS_MAX];
    uint64_t hash = next_hash(store, id);
    size_t count = hash ? store_indexed_previous(store, id, hash, refs) : 0;
    count = count < room ? count : room;
    for (size_t i = 0; i < count; i++)
        copy_out(store, refs[i], &packets[i]);
    return count;
}

size_t store_fewest_hops(const store_t *store, store_packet_t *packets, size_t room) {
    size_t count = 0;
    for (uint32_t hops = 0; hops <= STORE_HOPS_MAX; hops++) {
        ref_t next[STORE_KINDS];
        for (uint32_t kind = 0; kind < STORE_KINDS; kind++)
            next[kind] = store->shelves[kind * SHELVES_PER_KIND + hops].youngest;
        while (count < room && (next[0] || next[1] || next[2])) {
            uint32_t best = STORE_KINDS;
            for (uint32_t kind = 0; kind < STORE_KINDS; kind++) {
                if (next[kind] && (best == STORE_KINDS || end_of(footer_of(store, next[kind])) >
                                                              end_of(footer_of(store, next[best]))))
                    best = kind;
            }
            copy_out(store, next[best], &packets[count++]);
            next[best] = link_of(footer_of(store, next[best]), OF_SHELF);
        }
    }
    return count;
}

size_t store_ids(const store_t *store, store_prefix_t *ids, size_t room) {
    size_t count = 0;
    for (uint32_t pile = 0; pile < PILES_MAX; pile++) {
        for (ref_t ref = store->piles[pile].end >> store->unit_shift; ref; ref = cell_below(store, ref)) {
            if (count < room)
                memcpy(ids[count].bytes, footer_of(store, ref)->id, STORE_PREFIX_BYTES);
            count++;
        }
    }
    return count;
}

void store_stats(const store_t *store, store_stats_t *stats) {
    stats->own = store->kinds[STORE_OWN];
    stats->cluster = store->kinds[STORE_CLUSTER];
    stats->foreign = store->kinds[STORE_FOREIGN];
    stats->packets = stats->own + stats->cluster + stats->foreign;
    stats->frame_bytes = store->frame_bytes;
    stats->used_bytes = store->fixed_bytes + ((uint64_t)store->pages_used << store->page_shift);
    int common = source_at(store, COMMON)->bytes > 0;
    stats->sources = store->sources.count - !common;
    stats->groups = store->groups.count - !common;
    stats->inserted = store->inserted;
    stats->known = store->known;
    stats->refused = store->refused;
    stats->evicted = store->evicted;
    stats->expired = store->expired;
    stats->removed = store->removed;
}
