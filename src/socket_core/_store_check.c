/* Every invariant of the store, checked by going over all of it. For tests. */
#include "_store_buckets.h"
#include "_store_parts.h"

typedef struct tally {
    uint32_t pages, cells;
    uint32_t kinds[STORE_KINDS], cell_bytes[STORE_KINDS];
    uint64_t frame_bytes;
} tally_t;

static int is_indexed(const store_t *store, const index_t *index, uint64_t hash, ref_t ref) {
    probe_t probe = index_seek(store, index, hash);
    uint32_t found;
    while ((found = index_next(store, &probe)) != 0 && found != ref) {
    }
    return found == ref;
}

static const char *check_cell(const store_t *store, ref_t ref, uint32_t pile, tally_t *tally) {
    const footer_t *footer = footer_of(store, ref);
    if (pile_for(store, size_of(footer)) != pile || shelf_of(footer) >= SHELVES)
        return "cell: it is in another size's pile";
    if (type_of(footer) < FRAME_TYPE_MIN || type_of(footer) > FRAME_TYPE_MAX || postage_of(footer) == 0)
        return "cell: its footer is not one";
    if (!is_indexed(store, &store->ids, cell_id_hash(store, ref), ref))
        return "cell: its id is not indexed";
    if (store->config.ids != NULL) {
        uint8_t frame[FRAME_MAX_BYTES], id[1][FRAME_ID_BYTES];
        const uint8_t *frames = frame;
        size_t size = size_of(footer);
        cell_frame(store, ref, frame);
        store->config.ids(&frames, &size, 1, id);
        if (memcmp(id[0], footer->id, STORE_PREFIX_BYTES) != 0)
            return "cell: its content is not that of its id";
    }
    tally->cells++;
    tally->kinds[kind_of(footer)]++;
    tally->cell_bytes[kind_of(footer)] += pile_cell_bytes(store, pile);
    tally->frame_bytes += size_of(footer);
    return NULL;
}

static const char *check_pile(const store_t *store, uint32_t pile, tally_t *tally) {
    const pile_t *at = &store->piles[pile];
    uint32_t count = 0;
    for (ref_t ref = at->end >> store->unit_shift; ref; ref = cell_below(store, ref), count++) {
        const char *wrong = count < at->count ? check_cell(store, ref, pile, tally) : "pile: it has no bottom";
        if (wrong != NULL)
            return wrong;
    }
    for (uint32_t page = at->end ? (at->end - 1) >> store->page_shift : NO_PAGE; page != NO_PAGE;
         page = store->below[page]) {
        if (tally->pages++ > store->pages_used)
            return "pile: its pages are a circle";
    }
    return count == at->count ? NULL : "pile: its count is wrong";
}

static const char *check_shelf(const store_t *store, uint32_t shelf, uint32_t *packets) {
    const chain_t *chain = &store->shelves[shelf];
    ref_t older = 0;
    for (ref_t ref = chain->oldest; ref; older = ref, ref = link_of(footer_of(store, ref), OF_SHELF + 1)) {
        const footer_t *footer = footer_of(store, ref);
        if (shelf_of(footer) != shelf || link_of(footer, OF_SHELF) != older)
            return "shelf: a packet is on another's";
        if (older && end_of(footer_of(store, older)) > end_of(footer))
            return "shelf: a packet is younger than the next";
        if (++*packets > store->kinds[0] + store->kinds[1] + store->kinds[2])
            return "shelf: it has no end";
    }
    uint32_t stocked = store->stocked[shelf / SHELVES_PER_KIND] >> (shelf % SHELVES_PER_KIND) & 1;
    if (chain->youngest != older || stocked != (older != 0))
        return "shelf: its youngest is not the last";
    return NULL;
}

/* ---- Sources ---- */

static const char *check_chain(const store_t *store, uint32_t number, uint32_t kind, uint32_t *held) {
    const chain_t *chain = source_chain(store, number, kind);
    ref_t older = 0;
    for (ref_t ref = chain->oldest; ref; older = ref, ref = link_of(footer_of(store, ref), OF_SOURCE + 1)) {
        const footer_t *footer = footer_of(store, ref);
        if (source_of(footer) != number || kind_of(footer) != kind || link_of(footer, OF_SOURCE) != older)
            return "source: a packet is in another's chain";
        if (older && end_of(footer_of(store, older)) > end_of(footer))
            return "source: a packet is younger than the next";
        *held += pile_cell_bytes(store, pile_for(store, size_of(footer)));
        if (*held > store->config.budget_bytes)
            return "source: its chain has no end";
    }
    return chain->youngest == older ? NULL : "source: its youngest is not the last";
}

static const char *check_source(const store_t *store, uint32_t number, uint32_t group, uint32_t *bytes) {
    const source_t *source = source_at(store, number);
    uint32_t held = 0;
    const char *wrong = check_chain(store, number, STORE_CLUSTER, &held);
    if (wrong == NULL)
        wrong = check_chain(store, number, STORE_FOREIGN, &held);
    if (wrong != NULL)
        return wrong;
    if (held != source->bytes || (held == 0 && number != COMMON) || source->group != group)
        return "source: its account is wrong";
    if (source->over != (source->bytes > store->source_limit))
        return "source: it is over its share, or not";
    if (source_of_key(store, source->key, source->tag) != number)
        return "source: it is not found";
    *bytes += held;
    return NULL;
}

static const char *check_group(const store_t *store, uint32_t number, uint32_t *sources) {
    const group_t *group = group_at(store, number);
    uint32_t bytes = 0, count = 0, previous = 0;
    for (uint32_t i = group->first; i != 0; previous = i, i = source_at(store, i)->next, count++) {
        const char *wrong = count < SOURCES_MAX ? check_source(store, i, number, &bytes) : "group: a circle";
        if (wrong != NULL)
            return wrong;
        if (source_at(store, i)->previous != previous)
            return "group: its sources are not in order";
    }
    if (bytes != group->bytes || count != group->sources || group->last != previous)
        return "group: its account is wrong";
    if (group->over != (group->bytes > store->group_limit))
        return "group: it is over its share, or not";
    if (group_of_key(store, group->key, group->tag) != number)
        return "group: it is not found";
    *sources += count;
    return NULL;
}

static const char *check_over(const store_t *store, uint32_t sources_over, uint32_t groups_over) {
    uint32_t found = 0;
    for (uint32_t i = store->over_sources[0]; i != 0 && found <= sources_over; i = source_at(store, i)->over_next)
        found += source_at(store, i)->over;
    if (found != sources_over)
        return "sources: the list of those over their share is wrong";
    found = 0;
    for (uint32_t i = store->over_groups[0]; i != 0 && found <= groups_over; i = group_at(store, i)->over_next)
        found += group_at(store, i)->over;
    return found == groups_over ? NULL : "groups: the list of those over their share is wrong";
}

static uint32_t pages_of(const records_t *records) {
    uint32_t pages = 0;
    for (uint32_t i = 0; i < records->page_room; i++)
        pages += records->pages[i] != NO_PAGE;
    return pages;
}

static const char *check_sources(const store_t *store, tally_t *tally) {
    uint32_t cursor = 0, number, sources = 0, groups = 0, sources_over = 0, groups_over = 0;
    const char *wrong = index_check(store, &store->source_index, &tally->pages);
    if (wrong == NULL)
        wrong = index_check(store, &store->group_index, &tally->pages);
    while (wrong == NULL && (number = index_each(store, &store->group_index, &cursor)) != 0) {
        wrong = check_group(store, number, &sources);
        groups_over += group_at(store, number)->over;
        groups++;
    }
    if (wrong != NULL)
        return wrong;
    for (cursor = 0; (number = index_each(store, &store->source_index, &cursor)) != 0;)
        sources_over += source_at(store, number)->over;
    if (sources != store->sources.count || groups != store->groups.count)
        return "sources: not all are in a group";
    tally->pages += pages_of(&store->sources) + pages_of(&store->groups);
    return check_over(store, sources_over, groups_over);
}

/* ---- All ---- */

static const char *check_pages(const store_t *store, const tally_t *tally) {
    uint32_t spare = store->page_count - store->fresh;
    for (uint32_t page = store->free_page; page != NO_PAGE && spare <= store->page_count; page = store->below[page])
        spare++;
    if (tally->pages != store->pages_used || spare != pages_free(store))
        return "pages: not all are accounted for";
    if (store->fixed_bytes + ((size_t)store->page_count << store->page_shift) > store->mapped_bytes ||
        store->mapped_bytes > store->config.budget_bytes)
        return "pages: more than the budget";
    return NULL;
}

const char *store_check(const store_t *store) {
    tally_t tally;
    uint32_t packets = 0;
    const char *wrong = NULL;
    memset(&tally, 0, sizeof(tally));
    for (uint32_t pile = 0; pile < PILES_MAX && wrong == NULL; pile++)
        wrong = check_pile(store, pile, &tally);
    for (uint32_t shelf = 0; shelf < SHELVES && wrong == NULL; shelf++)
        wrong = check_shelf(store, shelf, &packets);
    if (wrong == NULL)
        wrong = index_check(store, &store->ids, &tally.pages);
    if (wrong == NULL)
        wrong = index_check(store, &store->nexts, &tally.pages);
    if (wrong == NULL)
        wrong = check_sources(store, &tally);
    if (wrong != NULL)
        return wrong;
    for (uint32_t kind = 0; kind < STORE_KINDS; kind++) {
        if (tally.kinds[kind] != store->kinds[kind] || tally.cell_bytes[kind] != store->cell_bytes[kind])
            return "packets: the counts by kind are wrong";
    }
    if (packets != tally.cells || store->ids.count != tally.cells || tally.frame_bytes != store->frame_bytes)
        return "packets: the counts are wrong";
    return store->hole == 0 ? check_pages(store, &tally) : "cell: one has been forgotten";
}
