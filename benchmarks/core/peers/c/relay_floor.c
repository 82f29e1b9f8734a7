/* The floor of relaying: only the system calls and the hashing. recvmmsg, 64 at once; SHA-256 of each frame as its id
 * is made; sendmmsg of each frame to three of the ports. No check, no table, no cache.
 *
 *     relay_floor PATH [PORT...]     without ports: receive and hash
 *
 * PATH is one of the core's own ways to hash (`auto`, `scalar`, ... : the very same code is linked here), or `openssl`,
 * one frame after another by EVP, where it was compiled with it.
 */
#include "common.h"

#include "_sha256.h"

#ifdef WITH_OPENSSL
#include <openssl/evp.h>
#endif

enum { COPIES = 3, MOST_PORTS = 64 };

static int fd, port_count, with_openssl, turn;
static struct sockaddr_in ports[MOST_PORTS], sources[BATCH];
static uint8_t memory[BATCH][STRIDE], ids[BATCH][SHA256_BYTES];
static struct mmsghdr incoming[BATCH], outgoing[BATCH * COPIES];
static struct iovec parts[BATCH];

#ifdef WITH_OPENSSL
static void hash_with_openssl(size_t count) {
    static EVP_MD_CTX *context;
    static EVP_MD *sha256_of_openssl;
    static const uint8_t no_hops[4];
    if (context == NULL) {
        context = EVP_MD_CTX_new();
        sha256_of_openssl = EVP_MD_fetch(NULL, "SHA256", NULL);
    }
    for (size_t i = 0; i < count; i++) {
        EVP_DigestInit_ex(context, sha256_of_openssl, NULL);
        EVP_DigestUpdate(context, memory[i], 2);
        EVP_DigestUpdate(context, no_hops, sizeof(no_hops));
        EVP_DigestUpdate(context, memory[i] + 6, incoming[i].msg_len - 6);
        EVP_DigestFinal_ex(context, ids[i], NULL);
    }
}
#else
static void hash_with_openssl(size_t count) {
    (void)count;
}
#endif

static void hash(size_t count) {
    const uint8_t *frames[BATCH];
    size_t sizes[BATCH];
    if (with_openssl) {
        hash_with_openssl(count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        frames[i] = memory[i];
        sizes[i] = incoming[i].msg_len;
    }
    sha256_frame_ids(frames, sizes, count, ids);
}

static void forward(size_t count) {
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        parts[i].iov_len = incoming[i].msg_len;
        for (int copy = 0; copy < COPIES; copy++) {
            struct msghdr *message = &outgoing[filled++].msg_hdr;
            message->msg_iov = &parts[i];
            message->msg_iovlen = 1;
            message->msg_name = &ports[turn];
            message->msg_namelen = sizeof(ports[turn]);
            turn = turn + 1 < port_count ? turn + 1 : 0;
        }
    }
    for (size_t sent = 0; sent < filled;) {
        int now = sendmmsg(fd, outgoing + sent, (unsigned)(filled - sent), 0);
        if (now < 0)
            die("sendmmsg");
        sent += (size_t)now;
    }
    for (size_t i = 0; i < count; i++)
        parts[i].iov_len = STRIDE;
}

static long relay(long count, double seconds) {
    long packets = 0;
    set_patience(fd, seconds);
    while (packets < count) {
        int got = recvmmsg(fd, incoming, BATCH, MSG_WAITFORONE, NULL);
        if (got < 0)
            break;
        hash((size_t)got);
        if (port_count)
            forward((size_t)got);
        packets += got;
    }
    return packets;
}

/* 0, or -1 where this machine or this build has no such way. */
static int choose(const char *name) {
#ifdef WITH_OPENSSL
    if (strcmp(name, "openssl") == 0)
        return with_openssl = 1, 0;
#endif
    if (strcmp(name, "auto") == 0)
        return 0;
    for (int path = SHA256_AUTO + 1; path < SHA256_PATHS; path++)
        if (strcmp(name, sha256_path_name((sha256_path_t)path)) == 0)
            return sha256_force((sha256_path_t)path);
    return -1;
}

int main(int argc, char **argv) {
    int port;
    if (argc < 2 || argc - 2 > MOST_PORTS || choose(argv[1]) != 0) {
        fprintf(stderr, "no such way to hash\n");
        return 2;
    }
    for (port_count = 0; port_count < argc - 2; port_count++)
        ports[port_count] = local_address(atoi(argv[port_count + 2]));
    fd = open_socket(&port);
    for (size_t i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){.iov_base = memory[i], .iov_len = STRIDE};
        incoming[i].msg_hdr = (struct msghdr){
            .msg_iov = &parts[i], .msg_iovlen = 1, .msg_name = &sources[i], .msg_namelen = sizeof(sources[i])};
    }
    return converse(port, relay, cpu_of_process);
}
