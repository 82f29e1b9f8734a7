/* Atomic numbers, for C11 and for compilers that have it not.
 *
 * `peek` and `put` order nothing: for counters, and for what the same thread wrote. `load` acquires, `store` releases.
 * Whatever changes a number and tells what it was (`add`, `set_bits`, `swap`, `replace`) stands in one order with all
 * others of its kind and with `atom_fence`, for all threads.
 */
#ifndef SOCKET_CORE_ATOMIC_H
#define SOCKET_CORE_ATOMIC_H

#include "_system.h"

#include <stddef.h>
#include <stdint.h>

/* Large enough that two of them are never in one line: processors fetch lines in pairs, some have lines of 128. */
#define ATOM_LINE 128

#if !defined(__STDC_NO_ATOMICS__) && (!defined(_MSC_VER) || defined(__clang__) || _MSC_VER >= 1935)

#include <stdatomic.h>

typedef struct atom32 {
    _Atomic uint32_t value;
} atom32_t;

typedef struct atomz {
    _Atomic size_t value;
} atomz_t;

#define ATOM_FUNCTIONS(atom, number)                                                           \
    static inline number atom##_peek(const atom##_t *at) {                                     \
        return atomic_load_explicit(&((atom##_t *)(uintptr_t)at)->value, memory_order_relaxed); \
    }                                                                                          \
    static inline void atom##_put(atom##_t *at, number value) {                                \
        atomic_store_explicit(&at->value, value, memory_order_relaxed);                        \
    }                                                                                          \
    static inline number atom##_load(const atom##_t *at) {                                     \
        return atomic_load_explicit(&((atom##_t *)(uintptr_t)at)->value, memory_order_acquire); \
    }                                                                                          \
    static inline void atom##_store(atom##_t *at, number value) {                              \
        atomic_store_explicit(&at->value, value, memory_order_release);                        \
    }                                                                                          \
    static inline number atom##_add(atom##_t *at, number value) {                              \
        return atomic_fetch_add(&at->value, value);                                            \
    }                                                                                          \
    static inline number atom##_set_bits(atom##_t *at, number value) {                         \
        return atomic_fetch_or(&at->value, value);                                             \
    }                                                                                          \
    static inline number atom##_swap(atom##_t *at, number value) {                             \
        return atomic_exchange(&at->value, value);                                             \
    }                                                                                          \
    static inline int atom##_replace(atom##_t *at, number expected, number value) {            \
        return atomic_compare_exchange_strong(&at->value, &expected, value);                   \
    }

static inline void atom_fence(void) {
    atomic_thread_fence(memory_order_seq_cst);
}

#else

#include <windows.h>

/* The x86 and x64 of Windows order plain reads and writes as acquire and release (`/volatile:ms`); for ARM64 an older
 * compiler than that of 2022 would not do, and is refused. */
#if !defined(_M_IX86) && !defined(_M_X64)
#error "this processor needs a compiler with C11 atomics: Visual Studio 2022 17.5 or later"
#endif

typedef struct atom32 {
    volatile uint32_t value;
} atom32_t;

typedef struct atomz {
    volatile size_t value;
} atomz_t;

#ifdef _M_X64
#define ATOM_CALL(name, at, value) \
    (sizeof(*(at)) == 8 ? (size_t)name##64((volatile LONG64 *)(at), (LONG64)(value)) \
                        : (size_t)(uint32_t)name((volatile LONG *)(at), (LONG)(value)))
#define ATOM_SWAPPED(at, expected, new_value) \
    (sizeof(*(at)) == 8 ? (size_t)InterlockedCompareExchange64((volatile LONG64 *)(at), (LONG64)(new_value), \
                                                               (LONG64)(expected)) \
                        : (size_t)(uint32_t)InterlockedCompareExchange((volatile LONG *)(at), (LONG)(new_value), \
                                                                       (LONG)(expected)))
#else
#define ATOM_CALL(name, at, value) ((size_t)(uint32_t)name((volatile LONG *)(at), (LONG)(value)))
#define ATOM_SWAPPED(at, expected, new_value) \
    ((size_t)(uint32_t)InterlockedCompareExchange((volatile LONG *)(at), (LONG)(new_value), (LONG)(expected)))
#endif

#define ATOM_FUNCTIONS(atom, number)                                                \
    static __inline number atom##_peek(const atom##_t *at) { return at->value; }    \
    static __inline void atom##_put(atom##_t *at, number value) { at->value = value; } \
    static __inline number atom##_load(const atom##_t *at) { return at->value; }    \
    static __inline void atom##_store(atom##_t *at, number value) { at->value = value; } \
    static __inline number atom##_add(atom##_t *at, number value) {                 \
        return (number)ATOM_CALL(InterlockedExchangeAdd, &at->value, value);        \
    }                                                                               \
    static __inline number atom##_set_bits(atom##_t *at, number value) {            \
        return (number)ATOM_CALL(InterlockedOr, &at->value, value);                 \
    }                                                                               \
    static __inline number atom##_swap(atom##_t *at, number value) {                \
        return (number)ATOM_CALL(InterlockedExchange, &at->value, value);           \
    }                                                                               \
    static __inline int atom##_replace(atom##_t *at, number expected, number value) { \
        return (number)ATOM_SWAPPED(&at->value, expected, value) == expected;       \
    }

static __inline void atom_fence(void) {
    MemoryBarrier();
}

#endif

ATOM_FUNCTIONS(atom32, uint32_t)
ATOM_FUNCTIONS(atomz, size_t)

#endif
