/* Who makes room for a new packet when memory is short.
 *
 * Own packets stay. Packets of own clusters give way to own ones, to others of their cluster that are preferred to
 * them, and to nobody else. Foreign packets go first. Among those the order is: most hops first, oldest first; but
 * before anybody's, those of a source or a network group that holds more than its share (F12).
 *
 * Shares bind only when memory is short, so that three peers can fill a cache that nobody else wants. Then a sender
 * over its share displaces its own packets, so that a flood displaces at most the share that it is allowed; and what a
 * flood had of free memory goes before anybody else's.
 */
#include "_store_parts.h"

static ref_t oldest_of(const store_t *store, uint32_t source, store_kind_t kind) {
    return source ? source_chain(store, source, kind)->oldest : 0;
}

/* Most hops first, then oldest; none with fewer hops than `hops`. */
static ref_t farthest(const store_t *store, store_kind_t kind, uint32_t hops) {
    uint32_t shelves = store->stocked[kind] >> hops << hops;
    return shelves ? store->shelves[kind * SHELVES_PER_KIND + highest_bit(shelves)].oldest : 0;
}

/* Of a source, or of the largest one of a group: foreign packets first, and for one of an own cluster such, too. */
static ref_t kin_of(const store_t *store, const newcomer_t *newcomer, uint32_t source, uint32_t group) {
    ref_t victim = 0;
    for (int kind = STORE_FOREIGN; kind >= (int)newcomer->kind && !victim; kind--) {
        uint32_t from = group ? sources_largest(store, group, (store_kind_t)kind) : source;
        victim = oldest_of(store, from, (store_kind_t)kind);
    }
    return victim;
}

/* Whether the newcomer's source, or its group, is over its share with it; then nobody else gives way to it. */
static int is_over(const store_t *store, const newcomer_t *newcomer, ref_t *victim) {
    const account_t *account = newcomer->account;
    if (!account->source && !account->missing)
        return 0;
    uint32_t held = account->source ? source_at(store, account->source)->bytes : 0;
    uint32_t of_group = account->group ? group_at(store, account->group)->bytes : 0;
    if (held + newcomer->cell_bytes > store->source_limit)
        *victim = kin_of(store, newcomer, account->source, 0);
    else if (of_group + newcomer->cell_bytes > store->group_limit)
        *victim = kin_of(store, newcomer, 0, account->group);
    else
        return 0;
    return 1;
}

ref_t store_victim(const store_t *store, const newcomer_t *newcomer) {
    ref_t victim = 0;
    if (is_over(store, newcomer, &victim))
        return victim;
    if (newcomer->kind == STORE_CLUSTER &&
        store->cell_bytes[STORE_CLUSTER] + newcomer->cell_bytes > store->cluster_limit)
        return farthest(store, STORE_CLUSTER, newcomer->hops);
    victim = oldest_of(store, sources_over(store), STORE_FOREIGN);
    if (!victim)
        victim = farthest(store, STORE_FOREIGN, newcomer->kind == STORE_FOREIGN ? newcomer->hops : 0);
    if (!victim && newcomer->kind != STORE_FOREIGN)
        victim = farthest(store, STORE_CLUSTER, newcomer->kind == STORE_CLUSTER ? newcomer->hops : 0);
    return victim;
}

void store_foresee(const store_t *store) {
    ref_t next = farthest(store, STORE_FOREIGN, 0);
    ref_t second = next ? link_of(footer_of(store, next), OF_SHELF + 1) : 0;
    if (!second)
        return;
    /* Its footer was asked for last time; so now it can be told where its nextId is, and who comes after it. */
    ref_t third = link_of(footer_of(store, second), OF_SHELF + 1);
    cell_prefetch(store, second, FRAME_AT_NEXT_ID);
    if (third)
        STORE_PREFETCH(footer_of(store, third));
}
