/* Whether a loop that somebody else made is one that our libuv can work on.
 *
 * Two copies of libuv in one process do not know of each other, and the structures of one may mean something else to
 * the other, though they be of one size. So both have to call the very same function.
 */
#include "_engine.h"

#ifdef _WIN32

int guest_shares_libuv(const char *path) {
    (void)path;
    return UV_ENOTSUP; /* what a library there is made of, it does not show */
}

#else

#include <dlfcn.h>
#include <string.h>

int guest_shares_libuv(const char *path) {
    void *library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD | RTLD_LOCAL);
    if (library == NULL)
        return UV_ENOTSUP;
    int (*ours)(uv_loop_t *, uv_run_mode) = uv_run;
    void *theirs = dlsym(library, "uv_run");
    int same = theirs != NULL && memcmp(&theirs, &ours, sizeof(theirs)) == 0;
    dlclose(library);
    return same;
}

#endif
