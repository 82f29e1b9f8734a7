/* Cells in piles, and packets in chains.
 *
 * A pile is an array that has no holes and goes on from page to page: a cell may begin on one page and end on the next,
 * or on the one after. Only its footer is in one piece, so that it can be looked at where it is: where it would not be,
 * a gap before it fills the page. From a cell the way leads back only, to the page below, so that one small number for
 * each page is enough.
 */
#include "_store_parts.h"

/* Where a cell is: its page, its end there, and how far before the page's beginning its own beginning may be. */
typedef struct place {
    uint32_t page;
    int32_t end, start; /* from the beginning of the page */
} place_t;

static place_t place_of(const store_t *store, ref_t ref) {
    const footer_t *footer = footer_of(store, ref);
    uint32_t end = ref << store->unit_shift;
    place_t place;
    place.page = (end - 1) >> store->page_shift;
    place.end = (int32_t)(end - (place.page << store->page_shift));
    uint32_t bytes = pile_cell_bytes(store, pile_for(store, size_of(footer)));
    place.start = place.end - (int32_t)(bytes + (gap_of(footer) << store->unit_shift));
    return place;
}

/* ---- Piles ---- */

/* Where the next cell of a pile would end: in how many new pages, where in the last, after which gap. */
typedef struct extent {
    uint32_t pages, end, gap;
} extent_t;

static extent_t next_extent(const store_t *store, uint32_t pile) {
    uint32_t page_bytes = 1u << store->page_shift;
    uint32_t end = store->piles[pile].end;
    /* As if a full page were below the first. */
    uint32_t filled = end ? ((end - 1) & (page_bytes - 1)) + 1 : page_bytes;
    uint32_t total = filled + pile_cell_bytes(store, pile);
    extent_t extent;
    extent.pages = (total - 1) >> store->page_shift;
    extent.end = total - (extent.pages << store->page_shift);
    extent.gap = extent.end < store->foot_bytes ? store->foot_bytes - extent.end : 0;
    extent.end += extent.gap;
    return extent;
}

uint32_t pile_need(const store_t *store, uint32_t pile) {
    return next_extent(store, pile).pages;
}

ref_t pile_add(store_t *store, uint32_t pile) {
    pile_t *into = &store->piles[pile];
    extent_t extent = next_extent(store, pile);
    uint32_t page = into->end ? (into->end - 1) >> store->page_shift : NO_PAGE;
    for (uint32_t i = 0; i < extent.pages; i++) {
        uint32_t taken = page_take(store);
        store->below[taken] = (uint16_t)page;
        page = taken;
    }
    into->end = (page << store->page_shift) + extent.end;
    into->count++;
    ref_t ref = into->end >> store->unit_shift;
    footer_t *footer = footer_of(store, ref);
    memset(footer, 0, sizeof(*footer));
    gap_set(footer, extent.gap >> store->unit_shift);
    return ref;
}

/* Takes the last cell away. It may hold nothing, so its gap is all that its footer is asked for. */
static void pile_pop(store_t *store, uint32_t pile) {
    pile_t *from = &store->piles[pile];
    uint32_t page = (from->end - 1) >> store->page_shift;
    uint32_t filled = from->end - (page << store->page_shift);
    const footer_t *footer = footer_of(store, from->end >> store->unit_shift);
    uint32_t bytes = pile_cell_bytes(store, pile) + (gap_of(footer) << store->unit_shift);
    int last = --from->count == 0;
    while (last ? page != NO_PAGE : filled <= bytes) {
        uint32_t below = store->below[page];
        page_give(store, page);
        page = below;
        bytes -= last ? 0 : filled;
        filled = 1u << store->page_shift;
    }
    from->end = last ? 0 : (page << store->page_shift) + filled - bytes;
}

/* Writes the last cell's content over another one. Each keeps its own gap: that belongs to the place. */
static void move_last(store_t *store, ref_t last, ref_t to) {
    uint8_t body[FRAME_MAX_BYTES];
    footer_t *from = footer_of(store, last), *into = footer_of(store, to);
    uint32_t gap = gap_of(into), size = size_of(from);
    cell_read(store, last, HEAD_BYTES, size - HEAD_BYTES, body + HEAD_BYTES);
    *into = *from;
    gap_set(into, gap);
    body[FRAME_AT_TYPE] = (uint8_t)type_of(from);
    cell_write(store, to, body, size);
    packet_moved(store, last, to);
}

void pile_remove(store_t *store, uint32_t pile, ref_t ref) {
    ref_t last = store->piles[pile].end >> store->unit_shift;
    if (store->hole == last && store->hole != ref)
        store->hole = ref; /* nothing to move: it becomes the hole */
    else if (last != ref)
        move_last(store, last, ref);
    pile_pop(store, pile);
}

ref_t cell_below(const store_t *store, ref_t ref) {
    place_t place = place_of(store, ref);
    int32_t page_bytes = (int32_t)1 << store->page_shift;
    while (place.start <= 0) {
        place.page = store->below[place.page];
        if (place.page == NO_PAGE)
            return 0;
        place.start += page_bytes;
    }
    return ((place.page << store->page_shift) + (uint32_t)place.start) >> store->unit_shift;
}

/* ---- Bytes. The frame without its head stands at the beginning of the cell; what is left before the footer is
 * the cell's slack and its gap. Both ways begin at the end, since pages know those below them. ---- */

/* Either way: out of the cell, or into it. */
static void copy_part(uint8_t *here, size_t count, uint8_t *out, const uint8_t *in) {
    if (out != NULL)
        memcpy(out, here, count);
    else
        memcpy(here, in, count);
}

/* Places are counted from the beginning of the cell's last page. */
static void copy_pages(const store_t *store, uint32_t page, int32_t from, int32_t stop, uint8_t *out,
                       const uint8_t *in) {
    for (int32_t base = 0; stop > from; page = store->below[page], base -= (int32_t)1 << store->page_shift) {
        int32_t begin = from > base ? from : base;
        if (stop <= base)
            continue;
        size_t at = (size_t)(begin - from), count = (size_t)(stop - begin);
        copy_part(page_at(store, page) + (begin - base), count, out ? out + at : NULL, in ? in + at : NULL);
        stop = begin;
    }
}

static void copy_body(const store_t *store, ref_t ref, uint32_t at, uint32_t count, uint8_t *out, const uint8_t *in) {
    place_t place = place_of(store, ref);
    int32_t from = place.start + (int32_t)(at - HEAD_BYTES), base = 0;
    /* As long as nothing else was in need of pages, those of a pile follow one another. */
    for (uint32_t page = place.page; from < base && store->below[page] == page - 1; page--)
        base -= (int32_t)1 << store->page_shift;
    if (from >= base)
        copy_part(page_at(store, place.page) + from, count, out, in);
    else
        copy_pages(store, place.page, from, from + (int32_t)count, out, in);
}

void cell_write(store_t *store, ref_t ref, const uint8_t *frame, uint32_t size) {
    footer_t *footer = footer_of(store, ref);
    type_set(footer, frame[FRAME_AT_TYPE]);
    length_set(footer, size - FRAME_HEADER_BYTES);
    copy_body(store, ref, HEAD_BYTES, size - HEAD_BYTES, NULL, frame + HEAD_BYTES);
}

void cell_read(const store_t *store, ref_t ref, uint32_t at, uint32_t count, uint8_t *bytes) {
    copy_body(store, ref, at, count, bytes, NULL);
}

void cell_prefetch(const store_t *store, ref_t ref, uint32_t at) {
    place_t place = place_of(store, ref);
    int32_t from = place.start + (int32_t)(at - HEAD_BYTES);
    for (uint32_t page = place.page; page != NO_PAGE; page = store->below[page]) {
        if (from >= 0) {
            STORE_PREFETCH(page_at(store, page) + from);
            return;
        }
        from += (int32_t)1 << store->page_shift;
    }
}

void cell_frame(const store_t *store, ref_t ref, uint8_t *frame) {
    const footer_t *footer = footer_of(store, ref);
    frame[FRAME_AT_TYPE] = (uint8_t)type_of(footer);
    frame[FRAME_AT_VERSION] = FRAME_VERSION;
    frame_store_u32(frame + FRAME_AT_HOPS, hops_of(footer));
    cell_read(store, ref, HEAD_BYTES, size_of(footer) - HEAD_BYTES, frame + HEAD_BYTES);
}

/* ---- Chains ---- */

static void chain_moved(store_t *store, chain_t *chain, ref_t to, int which) {
    const footer_t *footer = footer_of(store, to);
    ref_t older = link_of(footer, which), younger = link_of(footer, which + 1);
    if (older)
        link_set(footer_of(store, older), which + 1, to);
    else
        chain->oldest = to;
    if (younger)
        link_set(footer_of(store, younger), which, to);
    else
        chain->youngest = to;
}

void packet_moved(store_t *store, ref_t from, ref_t to) {
    const footer_t *footer = footer_of(store, to);
    chain_moved(store, &store->shelves[shelf_of(footer)], to, OF_SHELF);
    if (source_of(footer))
        chain_moved(store, source_chain(store, source_of(footer), kind_of(footer)), to, OF_SOURCE);
    index_replace(store, &store->ids, cell_id_hash(store, to), from, to);
    uint64_t next = cell_next_hash(store, to);
    if (next)
        index_replace(store, &store->nexts, next, from, to);
}
