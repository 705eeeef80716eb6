/* SPDX-License-Identifier: Apache-2.0 */
#include "app/files.h"
#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static void close_fd(const int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

iv_rc iv_file_load(struct iv_buf *out, const char *path, struct iv_err *err)
{
    IV_AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ENSURE(fd >= 0, err, IV_E_IO, "cannot read '%s': %s", path, strerror(errno));
    char part[4096];
    for (;;) {
        ssize_t n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        ENSURE(n >= 0, err, IV_E_IO, "cannot read '%s': %s", path, strerror(errno));
        if (n == 0) {
            break;
        }
        iv_buf_add(out, part, (size_t)n);
    }
    ENSURE(!iv_buf_failed(out), err, IV_E_LIMIT, "'%s' is larger than %zu bytes", path, out->max);
    return IV_OK;
}

static iv_rc write_all(int fd, const char *path, struct iv_str content, struct iv_err *err)
{
    for (size_t done = 0; done < content.n;) {
        ssize_t n = write(fd, content.p + done, content.n - done);
        ENSURE(n >= 0 || errno == EINTR, err, IV_E_IO, "cannot write '%s': %s", path, strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    ENSURE(fsync(fd) == 0, err, IV_E_IO, "cannot write '%s': %s", path, strerror(errno));
    return IV_OK;
}

iv_rc iv_file_create(const char *path, unsigned mode, struct iv_str content, struct iv_err *err)
{
    IV_AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    ENSURE(fd >= 0 || errno != EEXIST, err, IV_E_REFUSED, "'%s' is there already; it is not overwritten",
           path);
    ENSURE(fd >= 0, err, IV_E_IO, "cannot create '%s': %s", path, strerror(errno));
    return write_all(fd, path, content, err);
}

iv_rc iv_file_replace(const char *path, unsigned mode, struct iv_str content, struct iv_err *err)
{
    char part[PATH_MAX];
    int n = snprintf(part, sizeof part, "%s.part", path);
    ENSURE(n > 0 && (size_t)n < sizeof part, err, IV_E_REFUSED, "the path '%s' is too long", path);
    IV_AUTO(close_fd) int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    ENSURE(fd >= 0, err, IV_E_IO, "cannot create '%s': %s", part, strerror(errno));
    TRY(write_all(fd, part, content, err));
    ENSURE(rename(part, path) == 0, err, IV_E_IO, "cannot write '%s': %s", path, strerror(errno));
    return IV_OK;
}
