#pragma once
/* Types are checked, orders are not. */
enum { memory_order_relaxed, memory_order_acquire, memory_order_release, memory_order_acq_rel, memory_order_seq_cst };
typedef _Atomic int atomic_int;
typedef _Atomic unsigned atomic_uint;
typedef _Atomic unsigned long long atomic_ullong;
void atomic_thread_fence(int);
#define atomic_load_explicit(at, order) ((void)(order), *(at))
#define atomic_store_explicit(at, value, order) ((void)(order), (void)(*(at) = (value)))
#define atomic_load(at) (*(at))
#define atomic_store(at, value) ((void)(*(at) = (value)))
#define atomic_init(at, value) ((void)(*(at) = (value)))
#define atomic_fetch_add(at, value) (*(at) += (value))
#define atomic_fetch_sub(at, value) (*(at) -= (value))
#define atomic_fetch_or(at, value) (*(at) |= (value))
#define atomic_fetch_add_explicit(at, value, order) ((void)(order), *(at) += (value))
#define atomic_fetch_or_explicit(at, value, order) ((void)(order), *(at) |= (value))
#define atomic_exchange(at, value) (*(at) = (value))
#define atomic_exchange_explicit(at, value, order) ((void)(order), *(at) = (value))
#define atomic_compare_exchange_strong(at, expected, value) (*(at) == *(expected) ? (*(at) = (value), 1) : 0)
