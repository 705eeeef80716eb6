/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include "alloc.h"
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static struct iv_rc_s read_all(struct iv_buf *out, int fd, const char *path, struct iv_err *err)
{
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        ENSURE(n >= 0, err, IV_E_IO, "cannot read '%s': %s", path, strerror(errno));
        if (n == 0) {
            return IV_OK;
        }
        ENSURE(out->n + (size_t)n <= out->max, err, IV_E_LIMIT, "'%s' is larger than %zu bytes", path,
               out->max);
        iv_buf_add(out, chunk, (size_t)n);
        ENSURE(!iv_buf_failed(out), err, IV_E_NOMEM, "cannot hold '%s' in memory", path);
    }
}

struct iv_rc_s iv_file_read(struct iv_buf *out, struct iv_str path, struct iv_err *err)
{
    IV_AUTO(iv_freep) char *name = iv_strndup(path.p, path.n);
    ENSURE(name != NULL, err, IV_E_NOMEM, "cannot allocate the name of a file");
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ENSURE(fd >= 0, err, errno == ENOENT || errno == ENOTDIR ? IV_E_ABSENT : IV_E_IO, "cannot open '%s': %s",
           name, strerror(errno));
    struct iv_rc_s rc = read_all(out, fd, name, err);
    (void)close(fd);
    return rc;
}
