/* Whom packets came from: what each source and each network group holds, and who holds more than a share (F12).
 *
 * A source is an IPv4 address or an IPv6 /64; ports do not count, since they cost nothing. A group has its first 64
 * sources to itself; all further ones of it share one more. Both are known for as long as they have packets here.
 */
#include "_store_buckets.h"
#include "_store_parts.h"

/* What a key is of: two families, and what else may be entered. */
enum { TAG_REST = 0x40, TAG_GROUP = 0x80, TAG_COMMON = 0xFF };

/* ---- Records ---- */

static void records_shape(const store_t *store, records_t *records, size_t record_bytes, uint32_t most) {
    records->record_bytes = (uint32_t)record_bytes;
    records->per_page = (1u << store->page_shift) / records->record_bytes;
    records->inverse = (((uint64_t)1 << 32) + records->per_page - 1) / records->per_page;
    records->most = most;
    records->page_room = most / records->per_page + 1;
}

static uint16_t *records_init(records_t *records, uint16_t *lists) {
    records->pages = lists;
    records->used = lists + records->page_room;
    records->first = lists + 2 * (size_t)records->page_room;
    for (uint32_t i = 0; i < records->page_room; i++) {
        records->pages[i] = NO_PAGE;
        records->used[i] = 0;
    }
    return lists + 3 * (size_t)records->page_room;
}

/* The page that gets the next one. There is always one as long as there are fewer than `most`. */
static uint32_t page_with_room(const records_t *records) {
    uint32_t page = records->lowest;
    while (records->pages[page] != NO_PAGE && records->used[page] == records->per_page)
        page++;
    return page;
}

static uint32_t record_add(store_t *store, records_t *records) {
    uint32_t page = page_with_room(records), base = page * records->per_page;
    records->lowest = page;
    if (records->pages[page] == NO_PAGE) {
        uint32_t taken = page_take(store);
        if (taken == NO_PAGE)
            return 0;
        records->pages[page] = (uint16_t)taken;
        records->first[page] = (uint16_t)(base + 1);
        for (uint32_t i = 1; i <= records->per_page; i++) {
            uint16_t next = i < records->per_page ? (uint16_t)(base + i + 1) : 0;
            memcpy(record_at(store, records, base + i), &next, sizeof(next));
        }
    }
    uint32_t number = records->first[page];
    void *record = record_at(store, records, number);
    memcpy(&records->first[page], record, sizeof(uint16_t));
    memset(record, 0, records->record_bytes);
    store->source_changes++;
    records->used[page]++;
    records->count++;
    return number;
}

static void record_remove(store_t *store, records_t *records, uint32_t number) {
    uint32_t page = record_page(records, number);
    memcpy(record_at(store, records, number), &records->first[page], sizeof(uint16_t));
    records->first[page] = (uint16_t)number;
    store->source_changes++;
    records->count--;
    if (--records->used[page] == 0) {
        page_give(store, records->pages[page]);
        records->pages[page] = NO_PAGE;
    }
    if (page < records->lowest)
        records->lowest = page;
}

/* ---- Keys ---- */

static uint64_t key_hash(const store_t *store, uint64_t key, uint8_t tag) {
    uint64_t words[2] = {key, tag};
    return sip_words(store->config.key, words, 2);
}

static uint64_t source_hash(const store_t *store, uint32_t number) {
    const source_t *source = source_at(store, number);
    return key_hash(store, source->key, source->tag);
}

static uint64_t group_hash(const store_t *store, uint32_t number) {
    const group_t *group = group_at(store, number);
    return key_hash(store, group->key, group->tag);
}

uint32_t source_of_key(const store_t *store, uint64_t key, uint8_t tag) {
    probe_t probe = index_seek(store, &store->source_index, key_hash(store, key, tag));
    uint32_t number;
    while ((number = index_next(store, &probe)) != 0) {
        if (source_at(store, number)->key == key && source_at(store, number)->tag == tag)
            break;
    }
    return number;
}

uint32_t group_of_key(const store_t *store, uint64_t key, uint8_t tag) {
    probe_t probe = index_seek(store, &store->group_index, key_hash(store, key, tag));
    uint32_t number;
    while ((number = index_next(store, &probe)) != 0) {
        if (group_at(store, number)->key == key && group_at(store, number)->tag == tag)
            break;
    }
    return number;
}

/* The first `bits` of an address as a number, the rest zero. */
static uint64_t prefix_of(const address_t *address, uint32_t bits) {
    uint64_t prefix = 0;
    for (int i = 0; i < 8; i++)
        prefix = (prefix << 8) | address->ip[i];
    return bits == 0 ? 0 : prefix & (~(uint64_t)0 << (64 - bits));
}

static void find_account(const store_t *store, const address_t *address, account_t *account) {
    int v4 = address->family == 4;
    account->key = prefix_of(address, v4 ? 32 : 64);
    account->tag = address->family;
    account->source = source_of_key(store, account->key, account->tag);
    if (account->source) {
        account->group = source_at(store, account->source)->group;
        return;
    }
    account->group_key = prefix_of(address, v4 ? store->config.group_bits_v4 : store->config.group_bits_v6);
    account->group_tag = TAG_GROUP | address->family;
    account->group = group_of_key(store, account->group_key, account->group_tag);
    if (account->group && group_at(store, account->group)->sources >= SOURCES_PER_GROUP_MAX) {
        account->key = account->group_key;
        account->tag = TAG_REST | address->family;
        account->source = source_of_key(store, account->key, account->tag);
    }
    if (account->source)
        return;
    if (store->sources.count >= store->sources.most || store->groups.count >= store->groups.most)
        account->source = account->group = COMMON;
    else
        account->missing = 1;
}

const account_t *sources_identify(store_t *store, const address_t *address) {
    static const account_t nobody;
    if (address == NULL || (address->family != 4 && address->family != 6))
        return &nobody;
    if (store->last_changes != store->source_changes || !address_equal(address, &store->last_address)) {
        memset(&store->last_account, 0, sizeof(store->last_account));
        find_account(store, address, &store->last_account);
        store->last_address = *address;
        store->last_changes = store->source_changes;
    }
    return &store->last_account;
}

/* ---- Those over their share: a list, in the order in which they came to be. `kind` is source or group. ---- */

#define OVER_LIST(kind)                                                                          \
    static void kind##_over_add(store_t *store, kind##_t *item, uint32_t number) {               \
        item->over = 1;                                                                          \
        item->over_next = 0;                                                                     \
        item->over_previous = store->over_##kind##s[1];                                          \
        if (item->over_previous)                                                                 \
            kind##_at(store, item->over_previous)->over_next = (uint16_t)number;                 \
        else                                                                                     \
            store->over_##kind##s[0] = (uint16_t)number;                                         \
        store->over_##kind##s[1] = (uint16_t)number;                                             \
    }                                                                                            \
    static void kind##_over_remove(store_t *store, kind##_t *item) {                             \
        item->over = 0;                                                                          \
        if (item->over_previous)                                                                 \
            kind##_at(store, item->over_previous)->over_next = item->over_next;                  \
        else                                                                                     \
            store->over_##kind##s[0] = item->over_next;                                          \
        if (item->over_next)                                                                     \
            kind##_at(store, item->over_next)->over_previous = item->over_previous;              \
        else                                                                                     \
            store->over_##kind##s[1] = item->over_previous;                                      \
    }                                                                                            \
    static void kind##_weigh(store_t *store, kind##_t *item, uint32_t number) {                  \
        if (item->over)                                                                          \
            kind##_over_remove(store, item);                                                     \
        else                                                                                     \
            kind##_over_add(store, item, number);                                                \
    }

OVER_LIST(source)
OVER_LIST(group)

uint32_t sources_largest(const store_t *store, uint32_t group, store_kind_t kind) {
    uint32_t largest = 0, most = 0;
    for (uint32_t number = group_at(store, group)->first; number != 0; number = source_at(store, number)->next) {
        const source_t *source = source_at(store, number);
        if (source->bytes > most && source->chains[kind - STORE_CLUSTER].oldest) {
            largest = number;
            most = source->bytes;
        }
    }
    return largest;
}

static uint32_t largest_source_over(const store_t *store) {
    uint32_t largest = 0, most = 0;
    for (uint32_t number = store->over_sources[0]; number != 0; number = source_at(store, number)->over_next) {
        const source_t *source = source_at(store, number);
        if (source->bytes > most && source->chains[STORE_FOREIGN - STORE_CLUSTER].oldest) {
            largest = number;
            most = source->bytes;
        }
    }
    return largest;
}

uint32_t sources_over(const store_t *store) {
    uint32_t largest = largest_source_over(store), most = 0;
    if (largest)
        return largest;
    for (uint32_t number = store->over_groups[0]; number != 0; number = group_at(store, number)->over_next) {
        uint32_t bytes = group_at(store, number)->bytes;
        uint32_t source = bytes > most ? sources_largest(store, number, STORE_FOREIGN) : 0;
        if (source) {
            largest = source;
            most = bytes;
        }
    }
    return largest;
}

/* ---- Coming and going ---- */

uint32_t sources_need(const store_t *store) {
    return 2 + index_need(store, &store->source_index) + index_need(store, &store->group_index);
}

static uint32_t enter_group(store_t *store, uint64_t key, uint8_t tag) {
    uint32_t number = record_add(store, &store->groups);
    if (number == 0)
        return 0;
    group_at(store, number)->key = key;
    group_at(store, number)->tag = tag;
    if (index_put(store, &store->group_index, key_hash(store, key, tag), number) != 0) {
        record_remove(store, &store->groups, number);
        return 0;
    }
    return number;
}

static void forget_group(store_t *store, uint32_t number) {
    index_drop(store, &store->group_index, group_hash(store, number), number);
    if (group_at(store, number)->over)
        group_over_remove(store, group_at(store, number));
    record_remove(store, &store->groups, number);
}

static uint32_t enter_source(store_t *store, uint64_t key, uint8_t tag, uint32_t group_number) {
    uint32_t number = record_add(store, &store->sources);
    if (number == 0)
        return 0;
    source_t *source = source_at(store, number);
    source->key = key;
    source->tag = tag;
    if (index_put(store, &store->source_index, key_hash(store, key, tag), number) != 0) {
        record_remove(store, &store->sources, number);
        return 0;
    }
    group_t *group = group_at(store, group_number);
    source->group = (uint16_t)group_number;
    source->previous = group->last;
    if (group->last)
        source_at(store, group->last)->next = (uint16_t)number;
    else
        group->first = (uint16_t)number;
    group->last = (uint16_t)number;
    group->sources++;
    return number;
}

static void forget_source(store_t *store, uint32_t number) {
    source_t *source = source_at(store, number);
    group_t *group = group_at(store, source->group);
    index_drop(store, &store->source_index, source_hash(store, number), number);
    if (source->over)
        source_over_remove(store, source);
    if (source->previous)
        source_at(store, source->previous)->next = source->next;
    else
        group->first = source->next;
    if (source->next)
        source_at(store, source->next)->previous = source->previous;
    else
        group->last = source->previous;
    uint32_t group_number = source->group;
    record_remove(store, &store->sources, number);
    if (--group->sources == 0)
        forget_group(store, group_number);
}

uint32_t sources_enter(store_t *store, const account_t *account) {
    uint32_t group = account->group ? account->group : enter_group(store, account->group_key, account->group_tag);
    if (group == 0)
        return COMMON;
    uint32_t number = enter_source(store, account->key, account->tag, group);
    if (number == 0 && group_at(store, group)->sources == 0)
        forget_group(store, group);
    return number ? number : COMMON;
}

void sources_charge(store_t *store, uint32_t number, int32_t bytes) {
    source_t *source = source_at(store, number);
    group_t *group = group_at(store, source->group);
    source->bytes += (uint32_t)bytes;
    group->bytes += (uint32_t)bytes;
    if ((source->bytes > store->source_limit) != source->over)
        source_weigh(store, source, number);
    if ((group->bytes > store->group_limit) != group->over)
        group_weigh(store, group, source->group);
    if (source->bytes == 0 && number != COMMON)
        forget_source(store, number);
}

size_t sources_lists_bytes(const store_t *store) {
    return 3 * sizeof(uint16_t) * ((size_t)store->sources.page_room + store->groups.page_room) +
           2 * index_lists_bytes(store->source_index.page_room);
}

/* The common source and its group get the first number of each. */
int sources_init(store_t *store, uint16_t *lists) {
    if (lists == NULL) {
        uint32_t most = (uint32_t)(store->config.budget_bytes >> 12);
        most = most < SOURCES_MAX ? most : SOURCES_MAX;
        records_shape(store, &store->sources, sizeof(source_t), most);
        records_shape(store, &store->groups, sizeof(group_t), most);
        store->source_index.page_room = store->group_index.page_room = index_pages_for(store, most);
        return 0;
    }
    lists = records_init(&store->groups, records_init(&store->sources, lists));
    uint32_t room = store->source_index.page_room;
    if (index_init(store, &store->source_index, source_hash, lists, room) != 0 ||
        index_init(store, &store->group_index, group_hash, lists + 2 * (size_t)room, room) != 0)
        return -1;
    uint32_t group = enter_group(store, 0, TAG_COMMON);
    return group == COMMON && enter_source(store, 0, TAG_COMMON, group) == COMMON ? 0 : -1;
}
