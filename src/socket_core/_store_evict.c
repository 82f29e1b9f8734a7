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

/* Of the newcomer's own source or group, where that is over its share with it; 0: there is none, or it is not over. */
static ref_t own_kin(const store_t *store, const newcomer_t *newcomer, int *over) {
    const account_t *account = newcomer->account;
    uint32_t held = account->source ? source_at(store, account->source)->bytes : 0;
    uint32_t of_group = account->group ? group_at(store, account->group)->bytes : 0;
    int counts = account->source || account->missing, lone = newcomer->kind == STORE_CLUSTER;
    ref_t victim = 0;
    *over = 0;
    if (counts && held + newcomer->cell_bytes > store->source_limit) {
        *over = 1;
        victim = oldest_of(store, account->source, STORE_FOREIGN);
        return victim || !lone ? victim : oldest_of(store, account->source, STORE_CLUSTER);
    }
    if (counts && of_group + newcomer->cell_bytes > store->group_limit) {
        *over = 1;
        if (!account->group)
            return 0;
        victim = oldest_of(store, sources_largest(store, account->group, STORE_FOREIGN), STORE_FOREIGN);
        if (!victim && lone)
            victim = oldest_of(store, sources_largest(store, account->group, STORE_CLUSTER), STORE_CLUSTER);
    }
    return victim;
}

ref_t store_victim(const store_t *store, const newcomer_t *newcomer) {
    int over;
    ref_t victim = own_kin(store, newcomer, &over);
    if (over)
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
