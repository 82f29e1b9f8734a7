/* The compression of SHA-256 for messages side by side, one in each lane of a vector. Included once for every width,
 * after these macros, which it takes away again:
 *
 * LANES, LANES_COMPRESS  how many, and the name of the function that is made here
 * LANES_TARGET           the instructions that the function may use (see `_sha256_kernels.h`)
 * V                      the vector's type
 * V_ADD V_SUB V_XOR3 V_CH V_MAJ V_ROR V_SHR V_SET V_LOAD V_STORE
 * V_READ(words, blocks)  one block of every lane, its big-endian words spread over 16 vectors
 * V_PICK V_SWAP V_LOW32 V_HIGH32 V_LOW64 V_HIGH64  what `V_READ` is made of, where it needs them
 *
 * No include guard.
 */
#define SUM(x, one, two, three) V_XOR3(V_ROR(x, one), V_ROR(x, two), V_ROR(x, three))
#define DELTA(x, one, two, three) V_XOR3(V_ROR(x, one), V_ROR(x, two), V_SHR(x, three))

/* What `d` becomes is what `h` would be but for `d`: by that, the new `e` comes three instructions after the old one.
 * The additions stand so that the sum of `e`, which comes last, has the shortest way. */
#define ROUND(a, b, c, d, e, f, g, h, number)                                                                        \
    do {                                                                                                             \
        V added = V_ADD(h, V_ADD(words[(number) & 15], V_SET(sha256_k[number])));                                    \
        V both = V_ADD(V_ADD(V_ADD(added, d), V_CH(e, f, g)), SUM(e, 6, 11, 25));                                    \
        h = V_ADD(V_ADD(V_SUB(both, d), V_MAJ(a, b, c)), SUM(a, 2, 13, 22));                                         \
        d = both;                                                                                                    \
    } while (0)

#define EXTEND(number)                                                                                               \
    words[(number) & 15] = V_ADD(V_ADD(words[(number) & 15], words[((number) + 9) & 15]),                            \
                                 V_ADD(DELTA(words[((number) + 1) & 15], 7, 18, 3),                                  \
                                       DELTA(words[((number) + 14) & 15], 17, 19, 10)))

#define EXTEND_ROUND(a, b, c, d, e, f, g, h, number)                                                                 \
    do {                                                                                                             \
        EXTEND(number);                                                                                              \
        ROUND(a, b, c, d, e, f, g, h, number);                                                                       \
    } while (0)

#define EIGHT(STEP, number)                                                                                          \
    do {                                                                                                             \
        STEP(a, b, c, d, e, f, g, h, (number) + 0);                                                                  \
        STEP(h, a, b, c, d, e, f, g, (number) + 1);                                                                  \
        STEP(g, h, a, b, c, d, e, f, (number) + 2);                                                                  \
        STEP(f, g, h, a, b, c, d, e, (number) + 3);                                                                  \
        STEP(e, f, g, h, a, b, c, d, (number) + 4);                                                                  \
        STEP(d, e, f, g, h, a, b, c, (number) + 5);                                                                  \
        STEP(c, d, e, f, g, h, a, b, (number) + 6);                                                                  \
        STEP(b, c, d, e, f, g, h, a, (number) + 7);                                                                  \
    } while (0)

/* `state` is eight rows of LANES words. */
LANES_TARGET void LANES_COMPRESS(uint32_t *state, const uint8_t *const *blocks, size_t count) {
    const uint8_t *at[LANES];
    for (size_t lane = 0; lane < LANES; ++lane)
        at[lane] = blocks[lane];
    V a = V_LOAD(state + 0 * LANES), b = V_LOAD(state + 1 * LANES);
    V c = V_LOAD(state + 2 * LANES), d = V_LOAD(state + 3 * LANES);
    V e = V_LOAD(state + 4 * LANES), f = V_LOAD(state + 5 * LANES);
    V g = V_LOAD(state + 6 * LANES), h = V_LOAD(state + 7 * LANES);
    for (; count > 0; --count) {
        V words[16];
        V_READ(words, at);
        EIGHT(ROUND, 0);
        EIGHT(ROUND, 8);
        for (size_t number = 16; number < 64; number += 16) {
            EIGHT(EXTEND_ROUND, number);
            EIGHT(EXTEND_ROUND, number + 8);
        }
        a = V_ADD(a, V_LOAD(state + 0 * LANES));
        b = V_ADD(b, V_LOAD(state + 1 * LANES));
        c = V_ADD(c, V_LOAD(state + 2 * LANES));
        d = V_ADD(d, V_LOAD(state + 3 * LANES));
        e = V_ADD(e, V_LOAD(state + 4 * LANES));
        f = V_ADD(f, V_LOAD(state + 5 * LANES));
        g = V_ADD(g, V_LOAD(state + 6 * LANES));
        h = V_ADD(h, V_LOAD(state + 7 * LANES));
        V_STORE(state + 0 * LANES, a);
        V_STORE(state + 1 * LANES, b);
        V_STORE(state + 2 * LANES, c);
        V_STORE(state + 3 * LANES, d);
        V_STORE(state + 4 * LANES, e);
        V_STORE(state + 5 * LANES, f);
        V_STORE(state + 6 * LANES, g);
        V_STORE(state + 7 * LANES, h);
        for (size_t lane = 0; lane < LANES; ++lane)
            at[lane] += SHA256_BLOCK_BYTES;
    }
}

#undef SUM
#undef DELTA
#undef ROUND
#undef EXTEND
#undef EXTEND_ROUND
#undef EIGHT
#undef LANES
#undef LANES_COMPRESS
#undef LANES_TARGET
#undef V
#undef V_ADD
#undef V_SUB
#undef V_XOR3
#undef V_CH
#undef V_MAJ
#undef V_ROR
#undef V_SHR
#undef V_SET
#undef V_LOAD
#undef V_STORE
#undef V_READ
#undef V_PICK
#undef V_SWAP
#undef V_LOW32
#undef V_HIGH32
#undef V_LOW64
#undef V_HIGH64
