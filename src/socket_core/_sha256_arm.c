/* SHA-256 with the SHA instructions of ARMv8, and whether this processor has them: most have, but not all. */
#if defined(__clang__) && defined(__aarch64__) && !defined(__ARM_FEATURE_SHA2)
/* Until its version 16, clang's header shows the instructions only to files that are compiled for them as a whole. */
#define __ARM_FEATURE_CRYPTO 1
#define __ARM_FEATURE_SHA2 1
#endif

#include "_sha256_kernels.h"

#ifdef SHA256_ARM64

#ifdef SHA256_MSVC
#include <arm64_neon.h>
#else
#include <arm_neon.h>
#endif
#if defined(_WIN32)
#include <windows.h>
#elif defined(__linux__) || defined(__FreeBSD__)
#include <sys/auxv.h>
#endif

#if defined(__clang__)
#define SHA2 SHA256_TARGET("sha2")
#else
#define SHA2 SHA256_TARGET("+crypto")
#endif

enum { ARM_LANES_MAX = 2 };

/* Four rounds of every message, and the four words that come sixteen later. As each instruction waits for the one
 * before it, a second message uses the time. */
#define EACH_LANE for (size_t lane = 0; lane < lanes; ++lane)
#define FOUR_ROUNDS(number)                                                                                          \
    do {                                                                                                             \
        EACH_LANE sum[lane] = vaddq_u32(words[lane][(number) & 3], vld1q_u32(sha256_k + 4 * (number)));              \
        if ((number) < 12) {                                                                                         \
            EACH_LANE words[lane][(number) & 3] =                                                                    \
                vsha256su1q_u32(vsha256su0q_u32(words[lane][(number) & 3], words[lane][((number) + 1) & 3]),         \
                                words[lane][((number) + 2) & 3], words[lane][((number) + 3) & 3]);                   \
        }                                                                                                            \
        EACH_LANE {                                                                                                  \
            uint32x4_t abcd_now = abcd[lane];                                                                        \
            abcd[lane] = vsha256hq_u32(abcd_now, efgh[lane], sum[lane]);                                             \
            efgh[lane] = vsha256h2q_u32(efgh[lane], abcd_now, sum[lane]);                                            \
        }                                                                                                            \
    } while (0)

#define SIXTEEN_ROUNDS(number)                                                                                       \
    do {                                                                                                             \
        FOUR_ROUNDS(number);                                                                                         \
        FOUR_ROUNDS((number) + 1);                                                                                   \
        FOUR_ROUNDS((number) + 2);                                                                                   \
        FOUR_ROUNDS((number) + 3);                                                                                   \
    } while (0)

SHA2 SHA256_INLINE void compress_armv8(uint32_t *state, const uint8_t *const *blocks, size_t count, size_t lanes) {
    uint32x4_t abcd[ARM_LANES_MAX], efgh[ARM_LANES_MAX], sum[ARM_LANES_MAX], words[ARM_LANES_MAX][4];
    uint32x4_t abcd_before[ARM_LANES_MAX], efgh_before[ARM_LANES_MAX];
    const uint8_t *at[ARM_LANES_MAX];
    EACH_LANE {
        abcd[lane] = vld1q_u32(state + 8 * lane);
        efgh[lane] = vld1q_u32(state + 8 * lane + 4);
        at[lane] = blocks[lane];
    }
    for (; count > 0; --count) {
        EACH_LANE {
            for (size_t chunk = 0; chunk < 4; ++chunk)
                words[lane][chunk] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(at[lane] + 16 * chunk)));
            abcd_before[lane] = abcd[lane];
            efgh_before[lane] = efgh[lane];
            at[lane] += SHA256_BLOCK_BYTES;
        }
        SIXTEEN_ROUNDS(0);
        SIXTEEN_ROUNDS(4);
        SIXTEEN_ROUNDS(8);
        SIXTEEN_ROUNDS(12);
        EACH_LANE {
            abcd[lane] = vaddq_u32(abcd[lane], abcd_before[lane]);
            efgh[lane] = vaddq_u32(efgh[lane], efgh_before[lane]);
        }
    }
    EACH_LANE {
        vst1q_u32(state + 8 * lane, abcd[lane]);
        vst1q_u32(state + 8 * lane + 4, efgh[lane]);
    }
}

SHA2 void sha256_compress_armv8(uint32_t *state, const uint8_t *const *blocks, size_t count) {
    compress_armv8(state, blocks, count, 1);
}

SHA2 void sha256_compress_armv8_x2(uint32_t *state, const uint8_t *const *blocks, size_t count) {
    compress_armv8(state, blocks, count, 2);
}

static int has_sha2(void) {
#if defined(__APPLE__)
    return 1; /* every 64-bit one of Apple's */
#elif defined(_WIN32)
    return IsProcessorFeaturePresent(PF_ARM_V8_CRYPTO_INSTRUCTIONS_AVAILABLE) != 0;
#elif defined(__linux__)
    const unsigned long sha2 = 1ul << 6; /* HWCAP_SHA2, which musl and old headers may lack */
    return (getauxval(AT_HWCAP) & sha2) != 0;
#elif defined(__FreeBSD__)
    const unsigned long sha2 = 1ul << 6;
    unsigned long found = 0;
    return elf_aux_info(AT_HWCAP, &found, (int)sizeof(found)) == 0 && (found & sha2) != 0;
#else
    return 0;
#endif
}

unsigned sha256_arm_paths(void) {
    return has_sha2() ? 1u << SHA256_ARMV8 : 0;
}

#else

/* A file without declarations is no C. */
typedef int sha256_no_arm_t;

#endif
