/* SHA-256 with the vectors and the SHA instructions of x86, and what of them this processor has. */
#include "_sha256_kernels.h"

#ifdef SHA256_X86

#if defined(__GNUC__) && !defined(__clang__)
/* The order of the additions is chosen (`_sha256_lanes.h`). GCC puts them in its own, which costs a third. */
#pragma GCC optimize("no-tree-reassoc")
#endif

#include <immintrin.h>

#ifdef SHA256_MSVC
#include <intrin.h>
#else
#include <cpuid.h>
#endif

/* The vectors of 128 bits want SSSE3, for the order of the bytes: every processor since 2011 has it. */
#define SSE SHA256_TARGET("ssse3")
#define AVX2 SHA256_TARGET("avx2")
#define AVX512 SHA256_TARGET("avx512f,avx512bw")
#define SHANI SHA256_TARGET("sse4.1,sha")

/* 16 bytes of every fourth lane make a vector, so that four of these, turned within their quarters, are the same four
 * words of all lanes in order. */
#define READ_CHUNK(words, at, chunk)                                                                                 \
    do {                                                                                                             \
        V zero = V_SWAP(V_PICK(at, 0, 16 * (chunk))), one = V_SWAP(V_PICK(at, 1, 16 * (chunk)));                     \
        V two = V_SWAP(V_PICK(at, 2, 16 * (chunk))), three = V_SWAP(V_PICK(at, 3, 16 * (chunk)));                    \
        V low = V_LOW32(zero, one), low_too = V_LOW32(two, three);                                                   \
        V high = V_HIGH32(zero, one), high_too = V_HIGH32(two, three);                                               \
        words[4 * (chunk) + 0] = V_LOW64(low, low_too);                                                              \
        words[4 * (chunk) + 1] = V_HIGH64(low, low_too);                                                             \
        words[4 * (chunk) + 2] = V_LOW64(high, high_too);                                                            \
        words[4 * (chunk) + 3] = V_HIGH64(high, high_too);                                                           \
    } while (0)

#define READ_BLOCKS(words, at)                                                                                       \
    do {                                                                                                             \
        READ_CHUNK(words, at, 0);                                                                                    \
        READ_CHUNK(words, at, 1);                                                                                    \
        READ_CHUNK(words, at, 2);                                                                                    \
        READ_CHUNK(words, at, 3);                                                                                    \
    } while (0)

#define CHUNK(at, lane, offset) _mm_loadu_si128((const __m128i *)(const void *)((at)[lane] + (offset)))
#define BIG_ENDIAN_WORDS _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3)

#define LANES 4
#define LANES_COMPRESS sha256_compress_sse_x4
#define LANES_TARGET SSE
#define V __m128i
#define V_ADD _mm_add_epi32
#define V_SUB _mm_sub_epi32
#define V_XOR3(one, two, three) _mm_xor_si128(_mm_xor_si128(one, two), three)
#define V_CH(e, f, g) _mm_xor_si128(g, _mm_and_si128(e, _mm_xor_si128(f, g)))
#define V_MAJ(a, b, c) _mm_xor_si128(b, _mm_and_si128(_mm_xor_si128(a, b), _mm_xor_si128(b, c)))
#define V_ROR(x, bits) _mm_or_si128(_mm_srli_epi32(x, bits), _mm_slli_epi32(x, 32 - (bits)))
#define V_SHR _mm_srli_epi32
#define V_SET(number) _mm_set1_epi32((int)(number))
#define V_LOAD(at) _mm_loadu_si128((const __m128i *)(const void *)(at))
#define V_STORE(at, vector) _mm_storeu_si128((__m128i *)(void *)(at), vector)
#define V_READ READ_BLOCKS
#define V_PICK CHUNK
#define V_SWAP(x) _mm_shuffle_epi8(x, BIG_ENDIAN_WORDS)
#define V_LOW32 _mm_unpacklo_epi32
#define V_HIGH32 _mm_unpackhi_epi32
#define V_LOW64 _mm_unpacklo_epi64
#define V_HIGH64 _mm_unpackhi_epi64
#include "_sha256_lanes.h"

#define LANES 8
#define LANES_COMPRESS sha256_compress_avx2_x8
#define LANES_TARGET AVX2
#define V __m256i
#define V_ADD _mm256_add_epi32
#define V_SUB _mm256_sub_epi32
#define V_XOR3(one, two, three) _mm256_xor_si256(_mm256_xor_si256(one, two), three)
#define V_CH(e, f, g) _mm256_xor_si256(g, _mm256_and_si256(e, _mm256_xor_si256(f, g)))
#define V_MAJ(a, b, c) _mm256_xor_si256(b, _mm256_and_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(b, c)))
#define V_ROR(x, bits) _mm256_or_si256(_mm256_srli_epi32(x, bits), _mm256_slli_epi32(x, 32 - (bits)))
#define V_SHR _mm256_srli_epi32
#define V_SET(number) _mm256_set1_epi32((int)(number))
#define V_LOAD(at) _mm256_loadu_si256((const __m256i *)(const void *)(at))
#define V_STORE(at, vector) _mm256_storeu_si256((__m256i *)(void *)(at), vector)
#define V_READ READ_BLOCKS
#define V_PICK(at, lane, offset)                                                                                     \
    _mm256_inserti128_si256(_mm256_castsi128_si256(CHUNK(at, lane, offset)), CHUNK(at, (lane) + 4, offset), 1)
#define V_SWAP(x) _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(BIG_ENDIAN_WORDS))
#define V_LOW32 _mm256_unpacklo_epi32
#define V_HIGH32 _mm256_unpackhi_epi32
#define V_LOW64 _mm256_unpacklo_epi64
#define V_HIGH64 _mm256_unpackhi_epi64
#include "_sha256_lanes.h"

/* One instruction for a rotation, and one for any function of three bits: 0x96 is their sum, 0xCA chooses between the
 * second and the third, 0xE8 is the majority. */
#define LANES 16
#define LANES_COMPRESS sha256_compress_avx512_x16
#define LANES_TARGET AVX512
#define V __m512i
#define V_ADD _mm512_add_epi32
#define V_SUB _mm512_sub_epi32
#define V_XOR3(one, two, three) _mm512_ternarylogic_epi32(one, two, three, 0x96)
#define V_CH(e, f, g) _mm512_ternarylogic_epi32(e, f, g, 0xCA)
#define V_MAJ(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0xE8)
#define V_ROR _mm512_ror_epi32
#define V_SHR _mm512_srli_epi32
#define V_SET(number) _mm512_set1_epi32((int)(number))
#define V_LOAD(at) _mm512_loadu_si512((const void *)(at))
#define V_STORE(at, vector) _mm512_storeu_si512((void *)(at), vector)
#define V_READ READ_BLOCKS
#define V_PICK(at, lane, offset)                                                                                     \
    _mm512_inserti32x4(                                                                                              \
        _mm512_inserti32x4(_mm512_inserti32x4(_mm512_castsi128_si512(CHUNK(at, lane, offset)),                       \
                                              CHUNK(at, (lane) + 4, offset), 1),                                     \
                           CHUNK(at, (lane) + 8, offset), 2),                                                        \
        CHUNK(at, (lane) + 12, offset), 3)
#define V_SWAP(x) _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(BIG_ENDIAN_WORDS))
#define V_LOW32 _mm512_unpacklo_epi32
#define V_HIGH32 _mm512_unpackhi_epi32
#define V_LOW64 _mm512_unpacklo_epi64
#define V_HIGH64 _mm512_unpackhi_epi64
#include "_sha256_lanes.h"

/* Four rounds of every message, and the four words that come next. The instruction for two rounds waits for the
 * one before it; a second message uses the time. */
#define EACH_LANE for (size_t lane = 0; lane < lanes; ++lane)
#define FOUR_ROUNDS(number)                                                                                          \
    do {                                                                                                             \
        EACH_LANE sum[lane] = _mm_add_epi32(words[lane][(number) & 3],                                               \
                                            _mm_load_si128((const __m128i *)(const void *)(sha256_k + 4 * (number)))); \
        EACH_LANE cdgh[lane] = _mm_sha256rnds2_epu32(cdgh[lane], abef[lane], sum[lane]);                             \
        if ((number) >= 3 && (number) < 15) {                                                                        \
            EACH_LANE words[lane][((number) + 1) & 3] = _mm_sha256msg2_epu32(                                        \
                _mm_add_epi32(words[lane][((number) + 1) & 3],                                                       \
                              _mm_alignr_epi8(words[lane][(number) & 3], words[lane][((number) + 3) & 3], 4)),       \
                words[lane][(number) & 3]);                                                                          \
        }                                                                                                            \
        EACH_LANE abef[lane] = _mm_sha256rnds2_epu32(abef[lane], cdgh[lane], _mm_shuffle_epi32(sum[lane], 0x0E));    \
        if ((number) >= 1 && (number) < 13) {                                                                        \
            EACH_LANE words[lane][((number) + 3) & 3] =                                                              \
                _mm_sha256msg1_epu32(words[lane][((number) + 3) & 3], words[lane][(number) & 3]);                    \
        }                                                                                                            \
    } while (0)

#define SIXTEEN_ROUNDS(number)                                                                                       \
    do {                                                                                                             \
        FOUR_ROUNDS(number);                                                                                         \
        FOUR_ROUNDS((number) + 1);                                                                                   \
        FOUR_ROUNDS((number) + 2);                                                                                   \
        FOUR_ROUNDS((number) + 3);                                                                                   \
    } while (0)

enum { SHANI_LANES_MAX = 2 };

SHANI SHA256_INLINE void compress_shani(uint32_t *state, const uint8_t *const *blocks, size_t count, size_t lanes) {
    __m128i abef[SHANI_LANES_MAX], cdgh[SHANI_LANES_MAX], sum[SHANI_LANES_MAX], words[SHANI_LANES_MAX][4];
    __m128i abef_before[SHANI_LANES_MAX], cdgh_before[SHANI_LANES_MAX];
    const uint8_t *at[SHANI_LANES_MAX];
    EACH_LANE {
        __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 8 * lane)), 0xB1);
        __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 8 * lane + 4)), 0x1B);
        abef[lane] = _mm_alignr_epi8(cdab, efgh, 8);
        cdgh[lane] = _mm_blend_epi16(efgh, cdab, 0xF0);
        at[lane] = blocks[lane];
    }
    for (; count > 0; --count) {
        EACH_LANE {
            for (size_t chunk = 0; chunk < 4; ++chunk)
                words[lane][chunk] = _mm_shuffle_epi8(CHUNK(at, lane, 16 * chunk), BIG_ENDIAN_WORDS);
            abef_before[lane] = abef[lane];
            cdgh_before[lane] = cdgh[lane];
            at[lane] += SHA256_BLOCK_BYTES;
        }
        SIXTEEN_ROUNDS(0);
        SIXTEEN_ROUNDS(4);
        SIXTEEN_ROUNDS(8);
        SIXTEEN_ROUNDS(12);
        EACH_LANE {
            abef[lane] = _mm_add_epi32(abef[lane], abef_before[lane]);
            cdgh[lane] = _mm_add_epi32(cdgh[lane], cdgh_before[lane]);
        }
    }
    EACH_LANE {
        __m128i feba = _mm_shuffle_epi32(abef[lane], 0x1B);
        __m128i dchg = _mm_shuffle_epi32(cdgh[lane], 0xB1);
        _mm_storeu_si128((__m128i *)(void *)(state + 8 * lane), _mm_blend_epi16(feba, dchg, 0xF0));
        _mm_storeu_si128((__m128i *)(void *)(state + 8 * lane + 4), _mm_alignr_epi8(dchg, feba, 8));
    }
}

SHANI void sha256_compress_shani(uint32_t *state, const uint8_t *const *blocks, size_t count) {
    compress_shani(state, blocks, count, 1);
}

SHANI void sha256_compress_shani_x2(uint32_t *state, const uint8_t *const *blocks, size_t count) {
    compress_shani(state, blocks, count, 2);
}

typedef struct registers {
    uint32_t eax, ebx, ecx, edx;
} registers_t;

static registers_t cpuid(uint32_t leaf) {
    registers_t found = {0, 0, 0, 0};
#ifdef SHA256_MSVC
    int out[4];
    __cpuid(out, 0);
    if ((uint32_t)out[0] >= leaf) {
        __cpuidex(out, (int)leaf, 0);
        found.eax = (uint32_t)out[0];
        found.ebx = (uint32_t)out[1];
        found.ecx = (uint32_t)out[2];
        found.edx = (uint32_t)out[3];
    }
#else
    __get_cpuid_count(leaf, 0, &found.eax, &found.ebx, &found.ecx, &found.edx);
#endif
    return found;
}

/* The registers that the system saves when it changes from one thread to another. */
static uint32_t saved_state(void) {
#ifdef SHA256_MSVC
    return (uint32_t)_xgetbv(0);
#else
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
#endif
}

unsigned sha256_x86_paths(void) {
    const uint32_t xmm_ymm = 0x06, xmm_ymm_zmm = 0xE6;
    registers_t basic = cpuid(1), more = cpuid(7);
    int ssse3 = basic.ecx >> 9 & 1, sse41 = basic.ecx >> 19 & 1;
    uint32_t saved = basic.ecx >> 27 & 1 ? saved_state() : 0;
    unsigned paths = 0;
    if (ssse3)
        paths |= 1u << SHA256_SSE_X4;
    if ((more.ebx >> 5 & 1) && (saved & xmm_ymm) == xmm_ymm)
        paths |= 1u << SHA256_AVX2_X8;
    if ((more.ebx >> 16 & 1) && (more.ebx >> 30 & 1) && (saved & xmm_ymm_zmm) == xmm_ymm_zmm)
        paths |= 1u << SHA256_AVX512_X16;
    if (ssse3 && sse41 && (more.ebx >> 29 & 1))
        paths |= 1u << SHA256_SHANI;
    return paths;
}

#else

/* A file without declarations is no C. */
typedef int sha256_no_x86_t;

#endif
