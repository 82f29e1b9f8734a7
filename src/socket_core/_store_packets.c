/* Packets come, are seen again, are renewed and go. */
#include "_store_buckets.h"
#include "_store_parts.h"

static uint32_t bytes_of(const store_t *store, const footer_t *footer) {
    return pile_cell_bytes(store, pile_for(store, size_of(footer)));
}

/* ---- On and off their shelves ---- */

static void shelve(store_t *store, ref_t ref) {
    const footer_t *footer = footer_of(store, ref);
    uint32_t kind = kind_of(footer), number = source_of(footer);
    chain_append(store, &store->shelves[shelf_of(footer)], ref, OF_SHELF);
    if (number)
        chain_append(store, source_chain(store, number, kind), ref, OF_SOURCE);
    store->stocked[kind] |= 1u << hops_of(footer);
    store->kinds[kind]++;
    store->cell_bytes[kind] += bytes_of(store, footer);
}

static void unshelve(store_t *store, ref_t ref) {
    const footer_t *footer = footer_of(store, ref);
    uint32_t kind = kind_of(footer), number = source_of(footer);
    chain_t *shelf = &store->shelves[shelf_of(footer)];
    chain_remove(store, shelf, ref, OF_SHELF);
    if (!shelf->oldest)
        store->stocked[kind] &= ~(1u << hops_of(footer));
    if (number)
        chain_remove(store, source_chain(store, number, kind), ref, OF_SOURCE);
    store->kinds[kind]--;
    store->cell_bytes[kind] -= bytes_of(store, footer);
}

/* A new term, on this shelf, as the youngest. Own packets count against nobody. */
static void reshelve(store_t *store, ref_t ref, uint32_t kind, uint32_t hops) {
    footer_t *footer = footer_of(store, ref);
    uint32_t end = store_term_end(store), number = source_of(footer);
    unshelve(store, ref);
    shelf_set(footer, kind * SHELVES_PER_KIND + hops);
    end_set(footer, end);
    if (number && kind == STORE_OWN) {
        source_set(footer, 0);
        sources_charge(store, number, -(int32_t)bytes_of(store, footer));
    }
    shelve(store, ref);
}

/* ---- Going ---- */

/* Off its shelf and out of the indexes. Its cell is what is left, and what it counts for. */
static void packet_unlink(store_t *store, ref_t ref) {
    const footer_t *footer = footer_of(store, ref);
    uint64_t next = cell_next_hash(store, ref);
    index_drop(store, &store->ids, cell_id_hash(store, ref), ref);
    if (next)
        index_drop(store, &store->nexts, next, ref);
    unshelve(store, ref);
    store->frame_bytes -= size_of(footer);
}

static void packet_drop(store_t *store, ref_t ref) {
    const footer_t *footer = footer_of(store, ref);
    uint32_t pile = pile_for(store, size_of(footer)), number = source_of(footer);
    packet_unlink(store, ref);
    pile_remove(store, pile, ref);
    if (number)
        sources_charge(store, number, -(int32_t)pile_cell_bytes(store, pile));
}

int store_remove(store_t *store, const uint8_t id[32]) {
    ref_t ref = store_look_up(store, id, id_hash(store, id));
    if (!ref)
        return 0;
    packet_drop(store, ref);
    store->removed++;
    return 1;
}

/* ---- Coming ---- */

typedef struct arrival {
    const uint8_t *frame, *id;
    uint32_t size;
    uint64_t id_hash, next_hash;
    newcomer_t newcomer;
} arrival_t;

static void uncharge_hole(store_t *store) {
    uint32_t number = store->hole_source;
    store->hole_source = 0;
    if (number)
        sources_charge(store, number, -(int32_t)pile_cell_bytes(store, store->hole_pile));
}

/* For the next packet of its size, the victim's cell is as good as a new one, and nothing has to move. Mostly the two
 * come from one source, too, so the cell goes on counting for it until that is known. */
static void evict(store_t *store, ref_t victim, uint32_t pile_wanted) {
    const footer_t *footer = footer_of(store, victim);
    uint32_t pile = pile_for(store, size_of(footer));
    store->evicted++;
    if (pile != pile_wanted || store->hole) {
        packet_drop(store, victim);
        return;
    }
    packet_unlink(store, victim);
    store->hole = victim;
    store->hole_pile = pile;
    store->hole_source = source_of(footer);
    /* One that has nothing else is forgotten before anybody is looked up. */
    if (store->hole_source && source_at(store, store->hole_source)->bytes == pile_cell_bytes(store, pile))
        uncharge_hole(store);
}

static void fill_hole(store_t *store) {
    ref_t hole = store->hole;
    uncharge_hole(store);
    store->hole = 0;
    if (hole)
        pile_remove(store, store->hole_pile, hole);
}

static uint32_t pages_needed(const store_t *store, const arrival_t *arrival) {
    uint32_t pages = store->hole ? 0 : pile_need(store, arrival->newcomer.pile);
    pages += index_need(store, &store->ids);
    if (arrival->next_hash)
        pages += index_need(store, &store->nexts);
    if (arrival->newcomer.account->missing)
        pages += sources_need(store);
    return pages;
}

/* Whether there is room now; whom it takes to make some, it has made go. */
static int make_room(store_t *store, arrival_t *arrival, const address_t *source) {
    newcomer_t *newcomer = &arrival->newcomer;
    for (int evictions = 0;; evictions++) {
        newcomer->account = sources_identify(store, source);
        if (pages_needed(store, arrival) <= pages_free(store))
            return 1;
        uncharge_hole(store);
        ref_t victim = evictions < EVICTIONS_MAX ? store_victim(store, newcomer) : 0;
        if (!victim)
            return 0;
        evict(store, victim, newcomer->pile);
    }
}

/* One more under its nextId. A packet of an own cluster takes the place of a foreign one there, so that nobody else's
 * packets can hide where its message goes on (F15). */
static void index_next_id(store_t *store, ref_t ref, const uint8_t *next, uint64_t hash) {
    ref_t refs[STORE_PREVIOUS_MAX];
    size_t count = store_indexed_previous(store, next, hash, refs);
    ref_t least = ref;
    for (size_t i = 0; i < count; i++) {
        if (refs[i] == ref)
            return;
        if (kind_of(footer_of(store, refs[i])) > kind_of(footer_of(store, least)))
            least = refs[i];
    }
    if (count < STORE_PREVIOUS_MAX)
        index_put(store, &store->nexts, hash, ref);
    else if (least != ref)
        index_replace(store, &store->nexts, hash, least, ref);
}

static void write_footer(store_t *store, ref_t ref, const arrival_t *arrival, uint32_t number) {
    const newcomer_t *newcomer = &arrival->newcomer;
    footer_t *footer = footer_of(store, ref);
    memcpy(footer->id, arrival->id, STORE_PREFIX_BYTES);
    shelf_set(footer, newcomer->kind * SHELVES_PER_KIND + newcomer->hops);
    postage_set(footer, store->config.postage);
    source_set(footer, number);
    end_set(footer, store_term_end(store));
}

static int place(store_t *store, const arrival_t *arrival) {
    const newcomer_t *newcomer = &arrival->newcomer;
    ref_t ref = store->hole ? store->hole : pile_add(store, newcomer->pile);
    store->hole = 0;
    cell_write(store, ref, arrival->frame, arrival->size);
    if (index_put(store, &store->ids, arrival->id_hash, ref) != 0) {
        pile_remove(store, newcomer->pile, ref);
        return -1;
    }
    const account_t *account = newcomer->account;
    uint32_t number = account->missing ? sources_enter(store, account) : account->source;
    write_footer(store, ref, arrival, number);
    shelve(store, ref);
    store->frame_bytes += arrival->size;
    if (number == store->hole_source)
        store->hole_source = 0;
    else if (number)
        sources_charge(store, number, (int32_t)newcomer->cell_bytes);
    uncharge_hole(store);
    if (arrival->next_hash)
        index_next_id(store, ref, arrival->frame + FRAME_AT_NEXT_ID, arrival->next_hash);
    return 0;
}

/* Another copy of a packet that is here. Whom it came from this time does not matter. */
static store_outcome_t see_again(store_t *store, ref_t ref, const arrival_t *arrival) {
    const newcomer_t *newcomer = &arrival->newcomer;
    footer_t *footer = footer_of(store, ref);
    uint32_t old_kind = kind_of(footer), old_hops = hops_of(footer);
    uint32_t kind = newcomer->kind < old_kind ? newcomer->kind : old_kind;
    uint32_t hops = newcomer->hops < old_hops ? newcomer->hops : old_hops;
    if (kind == STORE_OWN && old_kind != STORE_OWN &&
        store->cell_bytes[STORE_OWN] + bytes_of(store, footer) > store->own_limit) {
        store->refused++;
        return STORE_REFUSED;
    }
    if (kind != old_kind || hops != old_hops)
        reshelve(store, ref, kind, hops);
    if (kind != old_kind) {
        postage_set(footer, store->config.postage);
        if (arrival->next_hash)
            index_next_id(store, ref, arrival->frame + FRAME_AT_NEXT_ID, arrival->next_hash);
    }
    store->known++;
    return STORE_KNOWN;
}

store_outcome_t store_insert(store_t *store, const uint8_t *frame, uint32_t size, const uint8_t id[32],
                             store_kind_t kind, const address_t *source, uint64_t now_ms) {
    store_observe(store, now_ms);
    uint32_t hops = frame_load_u32(frame + FRAME_AT_HOPS), pile = pile_for(store, size);
    arrival_t arrival = {.frame = frame, .id = id, .size = size, .id_hash = id_hash(store, id)};
    index_prefetch(store, &store->ids, arrival.id_hash);
    arrival.next_hash = next_hash(store, frame + FRAME_AT_NEXT_ID);
    index_prefetch(store, &store->nexts, arrival.next_hash);
    arrival.newcomer.kind = kind;
    arrival.newcomer.hops = hops < STORE_HOPS_MAX ? hops : STORE_HOPS_MAX;
    arrival.newcomer.pile = pile;
    arrival.newcomer.cell_bytes = pile_cell_bytes(store, pile);
    ref_t known = store_look_up(store, id, arrival.id_hash);
    if (known)
        return see_again(store, known, &arrival);
    int room = kind != STORE_OWN || store->cell_bytes[STORE_OWN] + arrival.newcomer.cell_bytes <= store->own_limit;
    if (!room || !make_room(store, &arrival, kind == STORE_OWN ? NULL : source) || place(store, &arrival) != 0) {
        fill_hole(store);
        store->refused++;
        return STORE_REFUSED;
    }
    store->inserted++;
    store_foresee(store);
    return STORE_KEPT;
}

/* ---- Terms ---- */

/* The shelf whose oldest packet's term ends first; SHELVES: all are empty. */
static uint32_t first_to_end(const store_t *store) {
    uint32_t first = SHELVES, least = 0;
    for (uint32_t shelf = 0; shelf < SHELVES; shelf++) {
        ref_t ref = store->shelves[shelf].oldest;
        uint32_t end = ref ? end_of(footer_of(store, ref)) : 0;
        if (ref && (first == SHELVES || end < least)) {
            first = shelf;
            least = end;
        }
    }
    return first;
}

uint64_t store_next_expiry(const store_t *store) {
    uint32_t shelf = first_to_end(store);
    return shelf == SHELVES ? UINT64_MAX : store_expires_ms(store, footer_of(store, store->shelves[shelf].oldest));
}

int store_expire(store_t *store, uint64_t now_ms, uint8_t *frame, uint32_t *size, uint64_t *next_ms) {
    now_ms = store_observe(store, now_ms);
    *next_ms = store_next_expiry(store);
    if (*next_ms > now_ms)
        return 0;
    ref_t ref = store->shelves[first_to_end(store)].oldest;
    footer_t *footer = footer_of(store, ref);
    uint32_t postage = postage_of(footer) - 1;
    *size = size_of(footer);
    cell_frame(store, ref, frame);
    if (postage == 0) {
        packet_drop(store, ref);
        store->expired++;
        return 2;
    }
    postage_set(footer, postage);
    reshelve(store, ref, kind_of(footer), hops_of(footer));
    return 1;
}
