/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/folder.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".snapshot"
#define PART ".part"
#define NUMBER_DIGITS 20

static void close_dir(DIR **dir)
{
    if (*dir != NULL) {
        (void)closedir(*dir);
    }
}

static void close_fd(const int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

static iv_rc copy_path(char *out, size_t room, struct iv_str path, struct iv_err *err)
{
    ENSURE(path.n < room, err, IV_E_REFUSED, "the path '" IV_STR_FMT "' is too long", IV_STR_ARG(path));
    memcpy(out, path.p, path.n);
    out[path.n] = '\0';
    return IV_OK;
}

static iv_rc name_of(char *out, size_t room, struct iv_str folder, struct iv_str cell, uint64_t number,
                     struct iv_err *err)
{
    int n = snprintf(out, room, IV_STR_FMT "/" IV_STR_FMT ".%0*" PRIu64 SUFFIX, IV_STR_ARG(folder),
                     IV_STR_ARG(cell), NUMBER_DIGITS, number);
    ENSURE(n > 0 && (size_t)n < room, err, IV_E_REFUSED, "the path '" IV_STR_FMT "' is too long",
           IV_STR_ARG(folder));
    return IV_OK;
}

/* CELL.NUMBER.snapshot, and nothing else. */
static bool number_of(uint64_t *out, const char *name, struct iv_str cell)
{
    size_t n = strlen(name);
    if (n != cell.n + 1 + NUMBER_DIGITS + sizeof SUFFIX - 1 || memcmp(name, cell.p, cell.n) != 0 ||
        name[cell.n] != '.' || strcmp(name + cell.n + 1 + NUMBER_DIGITS, SUFFIX) != 0) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < NUMBER_DIGITS; i++) {
        char c = name[cell.n + 1 + i];
        if (c < '0' || c > '9' || number > (UINT64_MAX - (uint64_t)(c - '0')) / 10) {
            return false;
        }
        number = number * 10 + (uint64_t)(c - '0');
    }
    *out = number;
    return true;
}

/* The writer's process, which stands in a part's name; 0 where it is no part. */
static long writer_of(const char *name)
{
    size_t n = strlen(name);
    if (n <= sizeof PART - 1 || strcmp(name + n - (sizeof PART - 1), PART) != 0) {
        return 0;
    }
    size_t at = n - (sizeof PART - 1);
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') {
        at--;
    }
    return strtol(name + at, NULL, 10);
}

/* In a container each new process may have the number of the one before, so one's own is nobody's, too: it
 * has written nothing yet. */
static bool is_left_behind(const char *name)
{
    long pid = writer_of(name);
    return pid > 0 && (pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH));
}

iv_rc iv_vault_folder_open(struct iv_str path, struct iv_err *err)
{
    char name[4096];
    TRY(copy_path(name, sizeof name, path, err));
    ENSURE(mkdir(name, S_IRWXU) == 0 || errno == EEXIST, err, IV_E_REFUSED,
           "cannot make the folder of snapshots '%s': %s", name, strerror(errno));
    ENSURE(access(name, R_OK | W_OK | X_OK) == 0, err, IV_E_REFUSED,
           "cannot write to the folder of snapshots '%s': %s", name, strerror(errno));
    IV_AUTO(close_dir) DIR *dir = opendir(name);
    ENSURE(dir != NULL, err, IV_E_REFUSED, "cannot read the folder of snapshots '%s': %s", name,
           strerror(errno));
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (is_left_behind(e->d_name)) {
            (void)unlinkat(dirfd(dir), e->d_name, 0);
        }
    }
    return IV_OK;
}

void iv_vault_folder_clear(struct iv_str path, long writer)
{
    char name[4096];
    struct iv_err err;
    IV_AUTO(close_dir) DIR *dir = iv_ok(copy_path(name, sizeof name, path, &err)) ? opendir(name) : NULL;
    for (const struct dirent *e = dir == NULL ? NULL : readdir(dir); e != NULL; e = readdir(dir)) {
        if (writer > 0 && writer_of(e->d_name) == writer) {
            (void)unlinkat(dirfd(dir), e->d_name, 0);
        }
    }
}

/* Into an ordered list that keeps the greatest. */
static void note_number(uint64_t *numbers, size_t room, size_t *count, uint64_t number)
{
    size_t at = 0;
    while (at < *count && numbers[at] > number) {
        at++;
    }
    if (at == room) {
        return;
    }
    size_t tail = *count - at - (*count == room ? 1 : 0);
    memmove(&numbers[at + 1], &numbers[at], tail * sizeof *numbers);
    numbers[at] = number;
    *count += *count == room ? 0 : 1;
}

iv_rc iv_vault_folder_list(struct iv_str path, struct iv_str cell, uint64_t *numbers, size_t room,
                           size_t *count, struct iv_err *err)
{
    char name[4096];
    TRY(copy_path(name, sizeof name, path, err));
    IV_AUTO(close_dir) DIR *dir = opendir(name);
    ENSURE(dir != NULL, err, IV_E_IO, "cannot read the folder of snapshots '%s': %s", name, strerror(errno));
    size_t found = 0;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        uint64_t number = 0;
        if (number_of(&number, e->d_name, cell)) {
            note_number(numbers, room, &found, number);
        }
    }
    *count = found;
    return IV_OK;
}

iv_rc iv_vault_file_open(struct iv_vault_file *file, struct iv_str folder, struct iv_str cell,
                         uint64_t number, struct iv_err *err)
{
    *file = (struct iv_vault_file){.fd = -1, .number = number};
    TRY(copy_path(file->folder, sizeof file->folder, folder, err));
    TRY(name_of(file->path, sizeof file->path, folder, cell, number, err));
    int n = snprintf(file->part, sizeof file->part, "%s.%ld" PART, file->path, (long)getpid());
    ENSURE(n > 0 && (size_t)n < sizeof file->part, err, IV_E_REFUSED, "the path '%s' is too long",
           file->path);
    file->fd = open(file->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    ENSURE(file->fd >= 0, err, IV_E_IO, "cannot create '%s': %s", file->part, strerror(errno));
    return IV_OK;
}

iv_rc iv_vault_file_sink(void *file, struct iv_str block, struct iv_err *err)
{
    const struct iv_vault_file *f = file;
    for (size_t done = 0; done < block.n;) {
        ssize_t n = write(f->fd, block.p + done, block.n - done);
        ENSURE(n >= 0 || errno == EINTR, err, IV_E_IO, "cannot write '%s': %s", f->part, strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return IV_OK;
}

iv_rc iv_vault_file_sync(struct iv_vault_file *file, struct iv_err *err)
{
    ENSURE(fsync(file->fd) == 0, err, IV_E_IO, "cannot write '%s': %s", file->part, strerror(errno));
    int fd = file->fd;
    file->fd = -1;
    ENSURE(close(fd) == 0, err, IV_E_IO, "cannot write '%s': %s", file->part, strerror(errno));
    return IV_OK;
}

static iv_rc sync_folder(const char *path, struct iv_err *err)
{
    IV_AUTO(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ENSURE(fd >= 0 && fsync(fd) == 0, err, IV_E_IO, "cannot write the folder '%s': %s", path,
           strerror(errno));
    return IV_OK;
}

iv_rc iv_vault_file_publish(struct iv_vault_file *file, struct iv_err *err)
{
    ENSURE(rename(file->part, file->path) == 0, err, IV_E_IO, "cannot rename '%s' to '%s': %s", file->part,
           file->path, strerror(errno));
    file->part[0] = '\0';
    return sync_folder(file->folder, err);
}

void iv_vault_file_close(struct iv_vault_file *file)
{
    close_fd(&file->fd);
    file->fd = -1;
    if (file->part[0] != '\0') {
        (void)unlink(file->part);
        file->part[0] = '\0';
    }
}

iv_rc iv_vault_folder_prune(struct iv_str path, struct iv_str cell, size_t keep, struct iv_err *err)
{
    uint64_t numbers[IV_VAULT_KEPT_MAX + 1];
    char name[4096];
    size_t count = 0;
    TRY(iv_vault_folder_list(path, cell, numbers, IV_COUNT(numbers), &count, err));
    for (size_t i = keep; i < count; i++) {
        TRY(name_of(name, sizeof name, path, cell, numbers[i], err));
        ENSURE(unlink(name) == 0 || errno == ENOENT, err, IV_E_IO, "cannot remove '%s': %s", name,
               strerror(errno));
    }
    return IV_OK;
}

/* As many bytes as there are, up to room. */
static iv_rc read_some(size_t *out, int fd, char *to, size_t room, struct iv_err *err)
{
    size_t done = 0;
    while (done < room) {
        ssize_t n = read(fd, to + done, room - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        ENSURE(n >= 0, err, IV_E_IO, "it cannot be read: %s", strerror(errno));
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    *out = done;
    return IV_OK;
}

static iv_rc read_blocks(struct iv_vault_reader *r, int fd, char *block, size_t room, iv_vault_sink_fn sink,
                         void *ctx, struct iv_err *err)
{
    for (;;) {
        size_t lead = 0;
        size_t rest = 0;
        size_t size = 0;
        TRY(read_some(&lead, fd, block, iv_vault_reader_lead(r), err));
        if (lead == 0) {
            return iv_vault_reader_end(r, err);
        }
        TRY(iv_vault_reader_size(r, &size, (struct iv_str){block, lead}, err));
        IV_CHECK(size <= room);
        TRY(read_some(&rest, fd, block + lead, size - lead, err));
        TRY(iv_vault_reader_take(r, (struct iv_str){block, lead + rest}, err));
        if (sink != NULL) {
            TRY(sink(ctx, (struct iv_str){block, size}, err));
        }
    }
}

iv_rc iv_vault_file_read(struct iv_vault_reader *r, struct iv_str folder, struct iv_str cell, uint64_t number,
                         iv_vault_sink_fn sink, void *ctx, struct iv_err *err)
{
    char name[4096];
    size_t room = IV_VAULT_LEAD_MAX + IV_VAULT_BLOCK_BYTES + sizeof(struct iv_hash128);
    TRY(name_of(name, sizeof name, folder, cell, number, err));
    IV_AUTO(iv_freep) char *block = iv_malloc(room);
    ENSURE(block != NULL, err, IV_E_NOMEM, "cannot allocate a block of the snapshot '%s'", name);
    IV_AUTO(close_fd) int fd = open(name, O_RDONLY | O_CLOEXEC);
    ENSURE(fd >= 0, err, errno == ENOENT ? IV_E_ABSENT : IV_E_IO, "cannot open '%s': %s", name,
           strerror(errno));
    struct iv_rc_s rc = read_blocks(r, fd, block, room, sink, ctx, err);
    if (!iv_ok(rc)) {
        iv_err_wrap(err, "the snapshot '%s'", name);
    }
    return rc;
}
