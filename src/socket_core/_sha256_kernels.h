/* The ways of compressing blocks, as `_sha256.c` chooses among them. Private to the hash.
 *
 * A kernel takes one or more messages a step, one in each of its lanes, and knows neither where they begin nor where
 * they end. Each is a function with its own set of instructions, so that one build runs on every processor; without
 * flags for single files, which setuptools cannot give.
 */
#ifndef SOCKET_CORE_SHA256_KERNELS_H
#define SOCKET_CORE_SHA256_KERNELS_H

#include "_sha256.h"

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
#define SHA256_X86 1
#endif
#if defined(__aarch64__) || (defined(_M_ARM64) && !defined(_M_ARM64EC))
#define SHA256_ARM64 1
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define SHA256_MSVC 1
#define SHA256_TARGET(features) /* its intrinsics are there for every function */
#define SHA256_INLINE static __forceinline
#define SHA256_ALIGN(bytes) __declspec(align(bytes))
#else
#define SHA256_TARGET(features) __attribute__((target(features)))
#define SHA256_INLINE static inline __attribute__((always_inline))
#define SHA256_ALIGN(bytes) __attribute__((aligned(bytes)))
#endif

enum { SHA256_LANES_MAX = 16 };

/* `count` blocks of every lane, one after another from `blocks[lane]` on. Where the kernel's lanes are of a vector, the
 * word `w` of lane `l` stands at `state[w * lanes + l]`, otherwise at `state[l * 8 + w]`. */
typedef void (*sha256_compress_fn)(uint32_t *state, const uint8_t *const *blocks, size_t count);

/* FIPS 180-4, 4.2.2. */
extern const uint32_t sha256_k[64];

void sha256_compress_scalar(uint32_t *state, const uint8_t *const *blocks, size_t count);

#ifdef SHA256_X86
/* One bit, 1 << path, for each path that the processor and the system run. */
unsigned sha256_x86_paths(void);
void sha256_compress_sse_x4(uint32_t *state, const uint8_t *const *blocks, size_t count);
void sha256_compress_avx2_x8(uint32_t *state, const uint8_t *const *blocks, size_t count);
void sha256_compress_avx512_x16(uint32_t *state, const uint8_t *const *blocks, size_t count);
void sha256_compress_shani(uint32_t *state, const uint8_t *const *blocks, size_t count);
void sha256_compress_shani_x2(uint32_t *state, const uint8_t *const *blocks, size_t count);
#endif

#ifdef SHA256_ARM64
unsigned sha256_arm_paths(void);
void sha256_compress_armv8(uint32_t *state, const uint8_t *const *blocks, size_t count);
void sha256_compress_armv8_x2(uint32_t *state, const uint8_t *const *blocks, size_t count);
#endif

#endif
