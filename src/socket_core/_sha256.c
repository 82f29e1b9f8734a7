#include "_sha256.h"

#include <string.h>

#include "_atomic.h"
#include "_frame.h"
#include "_sha256_kernels.h"

SHA256_ALIGN(64) const uint32_t sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* FIPS 180-4, 5.3.3. */
static const uint32_t INITIAL[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* The scalar kernel is the one with a single lane, and a number for a vector. */
static inline void read_block(uint32_t words[16], const uint8_t *const at[1]) {
    for (size_t index = 0; index < 16; ++index)
        words[index] = frame_load_u32(at[0] + 4 * index);
}

#define LANES 1
#define LANES_COMPRESS sha256_compress_scalar
#define LANES_TARGET
#define V uint32_t
#define V_ADD(one, two) ((one) + (two))
#define V_SUB(one, two) ((one) - (two))
#define V_XOR3(one, two, three) ((one) ^ (two) ^ (three))
#define V_CH(e, f, g) ((g) ^ ((e) & ((f) ^ (g))))
#define V_MAJ(a, b, c) (((a) & (b)) | ((c) & ((a) | (b))))
#define V_ROR(x, bits) ((x) >> (bits) | (x) << (32 - (bits)))
#define V_SHR(x, bits) ((x) >> (bits))
#define V_SET(number) (number)
#define V_LOAD(at) (*(at))
#define V_STORE(at, vector) (*(at) = (vector))
#define V_READ read_block
#include "_sha256_lanes.h"

typedef struct kernel {
    sha256_path_t path;
    unsigned lanes;
    unsigned cost;
    unsigned word_stride;
    unsigned lane_stride;
    sha256_compress_fn compress;
} kernel_t;

/* The cost of a step, however many of its lanes are in use, in ns on a Zen 5 (docs/core.md). Only the ratios count:
 * they say from how many messages on the wider one is worth it. On a processor with SHA instructions that is 9 messages
 * for 16 lanes, and never for fewer lanes; without them it is 2 for 16 lanes and 3 for 8 or 4.
 *
 * AVX-512 stands higher than the 144 that were measured, for processors whose vectors are half as wide inside. ARMv8
 * was not measured: two messages side by side are right wherever an instruction can begin before the last one ends. */
static const kernel_t KERNELS[] = {
    {SHA256_SCALAR, 1, 117, 1, 8, sha256_compress_scalar},
#ifdef SHA256_X86
    {SHA256_SSE_X4, 4, 290, 4, 1, sha256_compress_sse_x4},
    {SHA256_AVX2_X8, 8, 273, 8, 1, sha256_compress_avx2_x8},
    {SHA256_AVX512_X16, 16, 170, 16, 1, sha256_compress_avx512_x16},
    {SHA256_SHANI, 1, 31, 1, 8, sha256_compress_shani},
    {SHA256_SHANI, 2, 41, 1, 8, sha256_compress_shani_x2},
#endif
#ifdef SHA256_ARM64
    {SHA256_ARMV8, 1, 31, 1, 8, sha256_compress_armv8},
    {SHA256_ARMV8, 2, 41, 1, 8, sha256_compress_armv8_x2},
#endif
};

enum { KERNELS_COUNT = sizeof(KERNELS) / sizeof(KERNELS[0]) };

static const char *const NAMES[SHA256_PATHS] = {"auto", "scalar", "sse", "avx2", "avx512", "shani", "armv8"};

/* A set of paths, and the mark that it is filled. Two threads may find it empty and fill it alike. */
static atom32_t available_paths;
static atom32_t forced_path; /* SHA256_AUTO: none */

static unsigned paths_here(void) {
    unsigned paths = atom32_peek(&available_paths);
    if (paths == 0) {
        paths = 1u << SHA256_SCALAR;
#ifdef SHA256_X86
        paths |= sha256_x86_paths();
#endif
#ifdef SHA256_ARM64
        paths |= sha256_arm_paths();
#endif
        atom32_put(&available_paths, (uint32_t)paths);
    }
    return paths;
}

const char *sha256_path_name(sha256_path_t path) {
    return path < SHA256_PATHS ? NAMES[path] : "";
}

int sha256_path_available(sha256_path_t path) {
    return path == SHA256_AUTO || (path < SHA256_PATHS && (paths_here() >> path & 1));
}

int sha256_force(sha256_path_t path) {
    if (!sha256_path_available(path))
        return -1;
    atom32_put(&forced_path, (uint32_t)path);
    return 0;
}

static unsigned paths_to_use(void) {
    uint32_t forced = atom32_peek(&forced_path);
    return forced == SHA256_AUTO ? paths_here() : 1u << forced;
}

/* The kernel that takes so many messages on by one block for the least. */
static const kernel_t *choose(unsigned paths, size_t messages) {
    const kernel_t *best = NULL;
    size_t least = 0;
    messages = messages < SHA256_LANES_MAX ? messages : SHA256_LANES_MAX;
    for (size_t index = 0; index < KERNELS_COUNT; ++index) {
        const kernel_t *kernel = &KERNELS[index];
        size_t cost = (messages + kernel->lanes - 1) / kernel->lanes * kernel->cost;
        if ((paths >> kernel->path & 1) && (best == NULL || cost < least)) {
            best = kernel;
            least = cost;
        }
    }
    return best;
}

sha256_path_t sha256_chosen(size_t count) {
    return choose(paths_to_use(), count > 0 ? count : 1)->path;
}

/* A message on its way. It is hashed in up to three parts: the first block of a frame, with the hops as zeros; the
 * whole blocks, where they lie; and the rest with the padding. */
typedef struct message {
    const uint8_t *at; /* the next block */
    size_t left;       /* blocks of this part */
    const uint8_t *whole;
    size_t whole_left; /* blocks of the second part, 0 once it has begun */
    size_t tail_left;
    uint8_t *digest;
    uint32_t state[8]; /* while it is in no lane */
    uint8_t head[SHA256_BLOCK_BYTES];
    uint8_t tail[2 * SHA256_BLOCK_BYTES];
} message_t;

/* What is to be hashed, and how far it has come. A step takes the message of each lane on by as many blocks as all of
 * them have; a lane whose message ends takes the next one, so that short messages do not wait for long ones, and
 * whoever chooses the lengths cannot make the others pay (F16). */
typedef struct batch {
    const uint8_t *const *data;
    const size_t *sizes;
    size_t count;
    size_t next; /* the first message that has not begun */
    uint8_t (*digests)[SHA256_BYTES];
    int frames;
    unsigned paths;
    const kernel_t *kernel;
    size_t busy;                       /* messages in lanes: the first of `order` */
    size_t waiting;                    /* behind them: messages that have begun and have no lane now */
    message_t *order[SHA256_LANES_MAX];
    message_t messages[SHA256_LANES_MAX];
    SHA256_ALIGN(64) uint32_t state[8 * SHA256_LANES_MAX];
} batch_t;

/* The next part of a message; 0 where there is none. */
static int message_go_on(message_t *message) {
    if (message->whole_left > 0) {
        message->at = message->whole;
        message->left = message->whole_left;
        message->whole_left = 0;
        return 1;
    }
    message->at = message->tail;
    message->left = message->tail_left;
    message->tail_left = 0;
    return message->left > 0;
}

static void message_start(message_t *message, const uint8_t *data, size_t size, int frame, uint8_t *digest) {
    size_t rest = size % SHA256_BLOCK_BYTES;
    size_t tail = (rest < SHA256_BLOCK_BYTES - 8 ? 1 : 2) * SHA256_BLOCK_BYTES;
    uint64_t bits = (uint64_t)size << 3;

    message->digest = digest;
    memcpy(message->state, INITIAL, sizeof(INITIAL));
    message->whole = data;
    message->whole_left = size / SHA256_BLOCK_BYTES;
    message->tail_left = tail / SHA256_BLOCK_BYTES;
    memset(message->tail, 0, sizeof(message->tail));
    if (rest > 0)
        memcpy(message->tail, data + (size - rest), rest);
    message->tail[rest] = 0x80;
    frame_store_u32(message->tail + tail - 8, (uint32_t)(bits >> 32));
    frame_store_u32(message->tail + tail - 4, (uint32_t)bits);
    if (!frame) {
        message_go_on(message);
        return;
    }
    memcpy(message->head, data, SHA256_BLOCK_BYTES);
    frame_store_u32(message->head + FRAME_AT_HOPS, 0);
    message->at = message->head;
    message->left = 1;
    message->whole += SHA256_BLOCK_BYTES;
    message->whole_left -= 1;
}

static uint32_t *lane_state(batch_t *batch, size_t lane) {
    return batch->state + lane * batch->kernel->lane_stride;
}

static void lane_load(batch_t *batch, size_t lane) {
    uint32_t *state = lane_state(batch, lane);
    for (size_t word = 0; word < 8; ++word)
        state[word * batch->kernel->word_stride] = batch->order[lane]->state[word];
}

static void lane_save(batch_t *batch, size_t lane) {
    const uint32_t *state = lane_state(batch, lane);
    for (size_t word = 0; word < 8; ++word)
        batch->order[lane]->state[word] = state[word * batch->kernel->word_stride];
}

static void swap_order(batch_t *batch, size_t one, size_t other) {
    message_t *message = batch->order[one];
    batch->order[one] = batch->order[other];
    batch->order[other] = message;
}

static void lane_start(batch_t *batch, size_t lane) {
    size_t next = batch->next++;
    message_start(batch->order[lane], batch->data[next], batch->sizes[next], batch->frames, batch->digests[next]);
    lane_load(batch, lane);
}

/* The message of a lane is hashed: the lane takes another one, or that of the last lane. */
static void lane_end(batch_t *batch, size_t lane) {
    message_t *message = batch->order[lane];
    lane_save(batch, lane);
    for (size_t word = 0; word < 8; ++word)
        frame_store_u32(message->digest + 4 * word, message->state[word]);
    if (batch->waiting > 0) {
        batch->waiting -= 1;
        swap_order(batch, lane, batch->busy + batch->waiting);
        lane_load(batch, lane);
    } else if (batch->next < batch->count) {
        lane_start(batch, lane);
    } else {
        batch->busy -= 1;
        lane_save(batch, batch->busy);
        swap_order(batch, lane, batch->busy);
        if (lane < batch->busy)
            lane_load(batch, lane);
    }
}

static void batch_step(batch_t *batch) {
    const uint8_t *blocks[SHA256_LANES_MAX];
    size_t steps = batch->order[0]->left;
    for (size_t lane = 0; lane < batch->busy; ++lane) {
        blocks[lane] = batch->order[lane]->at;
        steps = batch->order[lane]->left < steps ? batch->order[lane]->left : steps;
    }
    /* Lanes without a message repeat the first one's, which is there to be read. */
    for (size_t lane = batch->busy; lane < batch->kernel->lanes; ++lane)
        blocks[lane] = blocks[0];
    batch->kernel->compress(batch->state, blocks, steps);
    /* Downwards: what moves into a lane comes from one that has been seen to. */
    for (size_t lane = batch->busy; lane-- > 0;) {
        message_t *message = batch->order[lane];
        message->at += steps * SHA256_BLOCK_BYTES;
        message->left -= steps;
        if (message->left == 0 && !message_go_on(message))
            lane_end(batch, lane);
    }
}

/* No message is left to begin, and lanes fall empty: another kernel may do the rest for less. */
static void batch_drain(batch_t *batch) {
    size_t messages = batch->busy;
    const kernel_t *kernel = choose(batch->paths, messages);
    if (kernel == batch->kernel)
        return;
    for (size_t lane = 0; lane < messages; ++lane)
        lane_save(batch, lane);
    batch->kernel = kernel;
    batch->busy = messages < kernel->lanes ? messages : kernel->lanes;
    batch->waiting = messages - batch->busy;
    for (size_t lane = 0; lane < batch->busy; ++lane)
        lane_load(batch, lane);
}

static void hash_all(const uint8_t *const *data, const size_t *sizes, size_t count, uint8_t (*digests)[SHA256_BYTES],
                     int frames) {
    batch_t batch;
    if (count == 0)
        return;
    batch.data = data;
    batch.sizes = sizes;
    batch.count = count;
    batch.next = 0;
    batch.digests = digests;
    batch.frames = frames;
    batch.paths = paths_to_use();
    batch.kernel = choose(batch.paths, count);
    batch.busy = count < batch.kernel->lanes ? count : batch.kernel->lanes;
    batch.waiting = 0;
    memset(batch.state, 0, sizeof(batch.state));
    for (size_t lane = 0; lane < SHA256_LANES_MAX; ++lane)
        batch.order[lane] = &batch.messages[lane];
    for (size_t lane = 0; lane < batch.busy; ++lane)
        lane_start(&batch, lane);
    while (batch.busy > 0) {
        size_t busy = batch.busy;
        batch_step(&batch);
        if (batch.busy > 0 && batch.busy < busy)
            batch_drain(&batch);
    }
}

void sha256(const uint8_t *data, size_t size, uint8_t digest[SHA256_BYTES]) {
    hash_all(&data, &size, 1, (uint8_t(*)[SHA256_BYTES])digest, 0);
}

void sha256_many(const uint8_t *const *data, const size_t *sizes, size_t count, uint8_t (*digests)[SHA256_BYTES]) {
    hash_all(data, sizes, count, digests, 0);
}

void sha256_frame_ids(const uint8_t *const *frames, const size_t *sizes, size_t count, uint8_t (*ids)[SHA256_BYTES]) {
    hash_all(frames, sizes, count, ids, 1);
}
