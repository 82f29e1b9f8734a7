/* The store's memory: one stretch, reserved at once and used page by page. What was never used costs nothing. */
#if !defined(_WIN32) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* MAP_ANONYMOUS is in no standard */
#endif

#include "_store_parts.h"

#ifdef _WIN32
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
/* So that a sanitizer sees who reads a page that nobody has. */
void __asan_poison_memory_region(void const volatile *address, size_t size);
void __asan_unpoison_memory_region(void const volatile *address, size_t size);
#define PAGE_HIDE(at, size) __asan_poison_memory_region((at), (size))
#define PAGE_SHOW(at, size) __asan_unpoison_memory_region((at), (size))
#else
#define PAGE_HIDE(at, size) ((void)(at), (void)(size))
#define PAGE_SHOW(at, size) ((void)(at), (void)(size))
#endif

#ifdef _WIN32

/* Committed at once: Windows promises the memory, and gives it when it is written to. */
store_t *store_map(size_t *bytes) {
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    *bytes -= *bytes % system.dwPageSize;
    return VirtualAlloc(NULL, *bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void store_unmap(store_t *store) {
    VirtualFree(store, 0, MEM_RELEASE);
}

#else

store_t *store_map(size_t *bytes) {
    long page_bytes = sysconf(_SC_PAGESIZE);
    *bytes -= *bytes % (size_t)(page_bytes > 0 ? page_bytes : 4096);
    void *at = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void store_unmap(store_t *store) {
    size_t bytes = store->mapped_bytes;
    PAGE_SHOW(store, bytes);
    munmap(store, bytes);
}

#endif

uint32_t page_take(store_t *store) {
    uint32_t page = store->free_page;
    if (page != NO_PAGE) {
        store->free_page = store->below[page];
    } else if (store->fresh < store->page_count) {
        page = store->fresh++;
    } else {
        return NO_PAGE;
    }
    store->pages_used++;
    PAGE_SHOW(page_at(store, page), (size_t)1 << store->page_shift);
    return page;
}

void page_give(store_t *store, uint32_t page) {
    PAGE_HIDE(page_at(store, page), (size_t)1 << store->page_shift);
    store->below[page] = store->free_page;
    store->free_page = (uint16_t)page;
    store->pages_used--;
}
