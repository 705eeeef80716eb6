/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(const int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

struct chunk {
    char bytes[16384];
};

/* The file may hold a secret, and the stack outlives this call. */
static void chunk_wipe(struct chunk *chunk)
{
    explicit_bzero(chunk->bytes, sizeof chunk->bytes);
}

static iv_rc read_all(struct iv_buf *out, int fd, const char *path, struct iv_err *err)
{
    IV_AUTO(chunk_wipe) struct chunk chunk;
    for (;;) {
        ssize_t n = read(fd, chunk.bytes, sizeof chunk.bytes);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        ENSURE(n >= 0, err, IV_E_IO, "cannot read '%s': %s", path, strerror(errno));
        if (n == 0) {
            return IV_OK;
        }
        ENSURE(out->n + (size_t)n <= out->max, err, IV_E_LIMIT, "'%s' is larger than %zu bytes", path,
               out->max);
        iv_buf_add(out, chunk.bytes, (size_t)n);
        ENSURE(!iv_buf_failed(out), err, IV_E_NOMEM, "cannot hold '%s' in memory", path);
    }
}

iv_rc iv_file_read(struct iv_buf *out, struct iv_str path, struct iv_err *err)
{
    IV_AUTO(iv_freep) char *name = iv_strndup(path.p, path.n);
    ENSURE(name != NULL, err, IV_E_NOMEM, "cannot allocate the name of a file");
    IV_AUTO(close_fd) int fd = open(name, O_RDONLY | O_CLOEXEC);
    ENSURE(fd >= 0, err, errno == ENOENT || errno == ENOTDIR ? IV_E_ABSENT : IV_E_IO, "cannot open '%s': %s",
           name, strerror(errno));
    return read_all(out, fd, name, err);
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

/* And closes it. */
static iv_rc write_whole(int fd, const char *path, struct iv_str content, struct iv_err *err)
{
    struct iv_rc_s rc = write_all(fd, path, content, err);
    int closed = close(fd);
    TRY(rc);
    ENSURE(closed == 0, err, IV_E_IO, "cannot write '%s': %s", path, strerror(errno));
    return IV_OK;
}

iv_rc iv_file_create(const char *path, unsigned mode, struct iv_str content, struct iv_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    ENSURE(fd >= 0 || errno != EEXIST, err, IV_E_REFUSED, "'%s' is there already; it is not overwritten",
           path);
    ENSURE(fd >= 0, err, IV_E_IO, "cannot create '%s': %s", path, strerror(errno));
    struct iv_rc_s rc = write_whole(fd, path, content, err);
    if (!iv_ok(rc)) {
        (void)unlink(path);
    }
    return rc;
}

static iv_rc rename_part(const char *part, const char *path, struct iv_err *err)
{
    ENSURE(rename(part, path) == 0, err, IV_E_IO, "cannot write '%s': %s", path, strerror(errno));
    return IV_OK;
}

iv_rc iv_file_replace(const char *path, unsigned mode, struct iv_str content, struct iv_err *err)
{
    char part[PATH_MAX];
    int n = snprintf(part, sizeof part, "%s.part", path);
    ENSURE(n > 0 && (size_t)n < sizeof part, err, IV_E_REFUSED, "the path '%s' is too long", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    ENSURE(fd >= 0, err, IV_E_IO, "cannot create '%s': %s", part, strerror(errno));
    struct iv_rc_s rc = write_whole(fd, part, content, err);
    rc = iv_ok(rc) ? rename_part(part, path, err) : rc;
    if (!iv_ok(rc)) {
        (void)unlink(part);
    }
    return rc;
}

/* F_GETLK knows 0 of a holder in another namespace of processes. */
static iv_rc tell_holder(int fd, const char *path, struct iv_err *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK && whole.l_pid > 0) {
        return iv_err_set(err, IV_E_BUSY, "'%s' is held by process %ld", path, (long)whole.l_pid);
    }
    return iv_err_set(err, IV_E_BUSY, "'%s' is held by another process", path);
}

iv_rc iv_file_claim(int *fd, const char *path, struct iv_err *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    ENSURE(file >= 0, err, IV_E_IO, "cannot open '%s': %s", path, strerror(errno));
    if (fcntl(file, F_SETLK, &whole) == 0) {
        *fd = file;
        return IV_OK;
    }
    struct iv_rc_s rc = errno == EACCES || errno == EAGAIN
                            ? tell_holder(file, path, err)
                            : iv_err_set(err, IV_E_IO, "cannot lock '%s': %s", path, strerror(errno));
    (void)close(file);
    return rc;
}
