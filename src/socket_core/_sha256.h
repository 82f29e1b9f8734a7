/* SHA-256 (FIPS 180-4) of one message or of many at once, by the fastest way that this processor has.
 *
 * Many messages side by side in the lanes of a vector take a fraction of the time of one after another; see
 * docs/core.md for the measurements and for how the way is chosen.
 */
#ifndef SOCKET_CORE_SHA256_H
#define SOCKET_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK_BYTES = 64 };

typedef enum sha256_path {
    SHA256_AUTO = 0, /* the best for the number of messages at hand */
    SHA256_SCALAR,
    SHA256_SSE_X4,
    SHA256_AVX2_X8,
    SHA256_AVX512_X16,
    SHA256_SHANI,
    SHA256_ARMV8,
    SHA256_PATHS
} sha256_path_t;

const char *sha256_path_name(sha256_path_t path);
/* Whether this build has the path and this processor runs it. */
int sha256_path_available(sha256_path_t path);
/* Use only this path from now on, in this process; 0, or -1 where it is not available. For tests and measurements. */
int sha256_force(sha256_path_t path);
/* The path that `count` messages of one length would take now; never SHA256_AUTO. */
sha256_path_t sha256_chosen(size_t count);

void sha256(const uint8_t *data, size_t size, uint8_t digest[SHA256_BYTES]);
void sha256_many(const uint8_t *const *data, const size_t *sizes, size_t count, uint8_t (*digests)[SHA256_BYTES]);
/* The ids of frames: as sha256_many, with the four bytes of the hops (offset 2) taken as zeros. Every size is at least
 * FRAME_HEADER_BYTES: the caller has checked. The frames are only read. */
void sha256_frame_ids(const uint8_t *const *frames, const size_t *sizes, size_t count,
                      uint8_t (*ids)[SHA256_BYTES]);

#endif
