/* SPDX-License-Identifier: Apache-2.0 */
#include "hand/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool to_path(char out[PATH_MAX], struct iv_str s)
{
    if (s.n == 0 || s.n >= PATH_MAX || memchr(s.p, '\0', s.n) != NULL) {
        return false;
    }
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

/* ".." is refused even where it stays below: "a/.." is the folder itself. */
static bool goes_down(const char *name)
{
    bool somewhere = false;
    while (*name != '\0') {
        size_t n = strcspn(name, "/");
        if (n == 2 && name[0] == '.' && name[1] == '.') {
            return false;
        }
        somewhere = somewhere || (n > 0 && !(n == 1 && name[0] == '.'));
        name += n + strspn(name + n, "/");
    }
    return somewhere;
}

int iv_open_beneath(struct iv_str folder, struct iv_str name, int flags)
{
    char top[PATH_MAX];
    char path[PATH_MAX];
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                                      RESOLVE_NO_XDEV};
    if (!to_path(top, folder) || !to_path(path, name) || !goes_down(path)) {
        errno = EINVAL;
        return -1;
    }
    int at = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) {
        return -1;
    }
    int fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);
    int why = errno;
    (void)close(at);
    errno = why;
    return fd;
}
