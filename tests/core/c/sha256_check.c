/* Hashes what it is given, by one path, so that a test can hold the digests against others: also where there is no
 * Python, as on another processor.
 *
 *     sha256_check             the names of the paths that there are
 *     sha256_check path kind   reads batches, writes digests; the kind is `messages` or `frames`
 *
 * A batch is a number of messages, and for each its length and its bytes; numbers are 32 bits, big-endian. Every message
 * has memory of its own, of just its length, so that sanitizers see each byte that is read behind its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "_sha256.h"

static void give_up(const char *reason) {
    fprintf(stderr, "sha256_check: %s\n", reason);
    exit(2);
}

static int read_number(size_t *number) {
    uint8_t bytes[4];
    if (fread(bytes, 1, sizeof(bytes), stdin) != sizeof(bytes))
        return 0;
    *number = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
    return 1;
}

static void *memory(size_t size) {
    void *found = malloc(size);
    if (found == NULL && size > 0)
        give_up("no memory");
    return found;
}

static void hash_batch(size_t count, int frames) {
    uint8_t **data = memory(count * sizeof(*data));
    size_t *sizes = memory(count * sizeof(*sizes));
    uint8_t(*digests)[SHA256_BYTES] = memory(count * sizeof(*digests));
    for (size_t index = 0; index < count; ++index) {
        if (!read_number(&sizes[index]))
            give_up("a message is missing");
        data[index] = memory(sizes[index]);
        if (sizes[index] > 0 && fread(data[index], 1, sizes[index], stdin) != sizes[index])
            give_up("a message is cut off");
    }
    if (frames)
        sha256_frame_ids((const uint8_t *const *)data, sizes, count, digests);
    else
        sha256_many((const uint8_t *const *)data, sizes, count, digests);
    fwrite(digests, SHA256_BYTES, count, stdout);
    for (size_t index = 0; index < count; ++index)
        free(data[index]);
    free(digests);
    free(sizes);
    free(data);
}

int main(int count, char **arguments) {
    size_t messages;
    if (count < 2) {
        for (int path = SHA256_SCALAR; path < SHA256_PATHS; ++path) {
            if (sha256_path_available((sha256_path_t)path))
                printf("%s\n", sha256_path_name((sha256_path_t)path));
        }
        return 0;
    }
    int path = 0;
    while (path < SHA256_PATHS && strcmp(arguments[1], sha256_path_name((sha256_path_t)path)) != 0)
        ++path;
    if (count < 3 || path == SHA256_PATHS || sha256_force((sha256_path_t)path) != 0)
        give_up("there is no such path");
    while (read_number(&messages))
        hash_batch(messages, strcmp(arguments[2], "frames") == 0);
    return 0;
}
