/* SPDX-License-Identifier: Apache-2.0 */
#include "hand/beneath.h"

#include "hand/hand.h"

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

/* ".." is refused even where it stays below, for "a/.." is the folder itself; and so is what is no segment of
 * its own, "a//" or "a/.", for whoever made the name meant something to stand there. */
bool iv_hand_is_below(struct iv_str name)
{
    size_t begin = 0;
    for (size_t i = 0; i <= name.n; i++) {
        if (i < name.n && name.p[i] != '/') {
            continue;
        }
        struct iv_str segment = {name.p + begin, i - begin};
        if (segment.n == 0 || iv_str_eq(segment, IV_STR(".")) || iv_str_eq(segment, IV_STR("..")) ||
            memchr(segment.p, '\0', segment.n) != NULL) {
            return false;
        }
        begin = i + 1;
    }
    return true;
}

int iv_open_beneath(struct iv_str folder, struct iv_str name, int flags)
{
    char top[PATH_MAX];
    char path[PATH_MAX];
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                                      RESOLVE_NO_XDEV};
    if (!to_path(top, folder) || !to_path(path, name) || !iv_hand_is_below(name)) {
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
