/* SPDX-License-Identifier: Apache-2.0 */
#include "support/failing_io.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
    bool armed;
    bool struck;
    bool lasting;
    enum io_op op;
    enum io_failure how;
    uint64_t left;
} plan;

int __real_open(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *out, size_t n);
ssize_t __real_write(int fd, const void *bytes, size_t n);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_close(int fd);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *out, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_close(int fd);

const char *io_op_name(enum io_op op)
{
    static const char *const names[] = {"open", "read", "write", "fsync", "rename", "close"};
    return names[op];
}

const char *io_failure_name(enum io_failure failure)
{
    static const char *const names[] = {"error", "no space", "torn", "short", "interrupted"};
    return names[failure];
}

/* True: this call fails, and errno says why; with IO_SHORT and IO_TORN half of it is to be done first. */
static bool fails(enum io_op op)
{
    static const int numbers[] = {EIO, ENOSPC, EIO, 0, EINTR};
    if (!plan.armed || op != plan.op || --plan.left > 0) {
        return false;
    }
    plan.left = plan.lasting || plan.how == IO_TORN ? 1 : 0;
    plan.armed = plan.left > 0;
    plan.struck = true;
    errno = numbers[plan.how];
    return true;
}

/* How much is done of a call that fails; a torn one does half at its first time. */
static size_t part_of(size_t n, bool first)
{
    return plan.how == IO_SHORT || (plan.how == IO_TORN && first) ? (n + 1) / 2 : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return fails(IO_OPEN) ? -1 : __real_open(path, flags, mode);
}

ssize_t __wrap_read(int fd, void *out, size_t n)
{
    bool first = !plan.struck;
    if (!fails(IO_READ)) {
        return __real_read(fd, out, n);
    }
    size_t part = part_of(n, first);
    return part == 0 ? -1 : __real_read(fd, out, part);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
    bool first = !plan.struck;
    if (!fails(IO_WRITE)) {
        return __real_write(fd, bytes, n);
    }
    size_t part = part_of(n, first);
    return part == 0 ? -1 : __real_write(fd, bytes, part);
}

int __wrap_fsync(int fd)
{
    return fails(IO_SYNC) ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return fails(IO_RENAME) ? -1 : __real_rename(from, to);
}

/* It is closed in any case. */
int __wrap_close(int fd)
{
    int closed = __real_close(fd);
    return fails(IO_CLOSE) ? -1 : closed;
}

static bool is_no_error(enum io_failure how)
{
    return how == IO_SHORT || how == IO_INTERRUPTED;
}

/* False: there are fewer such calls. */
static bool try_one(const struct io_trial *t, enum io_op op, enum io_failure how, bool lasting, uint64_t at)
{
    struct iv_err err = {.text = ""};
    char where[64];
    (void)snprintf(where, sizeof where, "%s %llu: %s%s", io_op_name(op), (unsigned long long)at,
                   io_failure_name(how), lasting ? " for good" : "");
    t->prepare(t->ctx);
    plan.op = op;
    plan.how = how;
    plan.left = at;
    plan.lasting = lasting;
    plan.struck = false;
    plan.armed = true;
    struct iv_rc_s rc = t->act(t->ctx, &err);
    plan.armed = false;
    bool told = iv_ok(rc) || strstr(err.text, t->path) != NULL;
    bool needless = !iv_ok(rc) && (!plan.struck || is_no_error(how));
    cr_assert(told, "%s: '%s'", where, err.text);
    cr_assert_not(needless, "%s: '%s'", where, err.text);
    t->check(t->ctx, rc, where);
    return plan.struck;
}

uint64_t io_sweep(const struct io_trial *trial, enum io_op op, enum io_failure how, bool lasting)
{
    uint64_t at = 1;
    while (try_one(trial, op, how, lasting, at)) {
        at++;
    }
    return at - 1;
}

void io_sweep_all(const struct io_trial *trial)
{
    static const unsigned ways[] = {
        [IO_OPEN] = 1u << IO_ERROR | 1u << IO_FULL,
        [IO_READ] = 1u << IO_ERROR | 1u << IO_TORN | 1u << IO_SHORT | 1u << IO_INTERRUPTED,
        [IO_WRITE] = 1u << IO_ERROR | 1u << IO_FULL | 1u << IO_TORN | 1u << IO_SHORT | 1u << IO_INTERRUPTED,
        [IO_SYNC] = 1u << IO_ERROR | 1u << IO_FULL,
        [IO_RENAME] = 1u << IO_ERROR | 1u << IO_FULL,
        [IO_CLOSE] = 1u << IO_ERROR,
    };
    for (int op = 0; op < IO_OPS; op++) {
        for (int how = 0; how < IO_FAILURES; how++) {
            if ((ways[op] >> how & 1) != 0) {
                uint64_t once = io_sweep(trial, (enum io_op)op, (enum io_failure)how, false);
                uint64_t lasting = is_no_error((enum io_failure)how)
                                       ? 0
                                       : io_sweep(trial, (enum io_op)op, (enum io_failure)how, true);
                cr_log_info("%-8s %-12s %3llu calls, %3llu for good", io_op_name((enum io_op)op),
                            io_failure_name((enum io_failure)how), (unsigned long long)once,
                            (unsigned long long)lasting);
            }
        }
    }
}
