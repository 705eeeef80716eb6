/* SPDX-License-Identifier: Apache-2.0 */
#include "confine/syscalls.h"
#include "base/guard.h"

#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define CLONE_NAMESPACES                                                                                     \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |               \
     CLONE_NEWCGROUP)
#define FAMILIES 64 /* of sockets; more than Linux has */

enum when { ALWAYS, LISTENING, SANITIZED, NEVER };

static const struct row {
    const char *name;
    enum when when;
    bool conditional;
    unsigned argument;
    uint64_t mask;
    uint64_t value;
} rows[] = {
#define ALLOW(name) {#name, ALWAYS, false, 0, 0, 0},
#define ALLOW_IF(name, argument, mask, value) {#name, ALWAYS, true, (argument), (mask), (value)},
#define LISTEN(name) {#name, LISTENING, false, 0, 0, 0},
#define SANITIZER(name) {#name, SANITIZED, false, 0, 0, 0},
#define KILL(name) {#name, NEVER, false, 0, 0, 0},
#include "confine/syscalls.def"
#undef ALLOW
#undef ALLOW_IF
#undef LISTEN
#undef SANITIZER
#undef KILL
};

struct filter {
    scmp_filter_ctx ctx;
    const struct iv_confine_options *options;
    struct iv_err *err;
};

static iv_rc told(int rc, const char *what, const char *name, struct iv_err *err)
{
    ENSURE(rc == 0, err, IV_E_IO, "seccomp: cannot %s%s%s: %s", what, name[0] == '\0' ? "" : " ", name,
           strerror(-rc));
    return IV_OK;
}

static bool needed_by_sanitizers(const char *name)
{
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        if (rows[i].when == SANITIZED && strcmp(rows[i].name, name) == 0) {
            return iv_confine_for_sanitizers();
        }
    }
    return false;
}

/* Two rules of one call, one with a condition and one without, do not go together. */
static bool applies(const struct filter *f, const struct row *row)
{
    switch (row->when) {
    case ALWAYS:
        return !needed_by_sanitizers(row->name);
    case LISTENING:
        return f->options->listens;
    case SANITIZED:
        return iv_confine_for_sanitizers();
    case NEVER:
        break;
    }
    return f->options->mode == IV_CONFINE_ENFORCE && !needed_by_sanitizers(row->name);
}

static iv_rc add_row(struct filter *f, const struct row *row)
{
    int call = seccomp_syscall_resolve_name(row->name);
    if (call < 0 || !applies(f, row)) {
        return IV_OK;
    }
    uint32_t action = row->when == NEVER ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW;
    struct scmp_arg_cmp argument =
        SCMP_CMP64(row->argument, SCMP_CMP_MASKED_EQ, row->mask, row->value & row->mask);
    int rc = seccomp_rule_add_array(f->ctx, action, call, row->conditional ? 1 : 0,
                                    row->conditional ? &argument : NULL);
    return told(rc, "add a rule for", row->name, f->err);
}

static bool is_ours(uint64_t family)
{
    return family == AF_INET || family == AF_INET6 || family == AF_UNIX || family == AF_NETLINK;
}

/* Sockets of the other families end the process; of the kernel's own, routing alone is answered. */
static iv_rc add_socket_families(struct filter *f)
{
    int rc = seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                              SCMP_A0_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_NETLINK),
                              SCMP_A2_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, 0));
    TRY(told(rc, "add a rule for", "socket", f->err));
    for (uint64_t family = 0; f->options->mode == IV_CONFINE_ENFORCE && family < FAMILIES; family++) {
        if (!is_ours(family)) {
            rc = seccomp_rule_add(f->ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1,
                                  SCMP_A0_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, family));
            TRY(told(rc, "add a rule for", "socket", f->err));
        }
    }
    return IV_OK;
}

static iv_rc fill(struct filter *f)
{
    TRY(told(seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_NNP, 0), "leave no_new_privs as it is", "", f->err));
    if (seccomp_api_get() >= 3) { /* Linux 4.14 */
        TRY(told(seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_LOG, 1), "have refusals logged", "", f->err));
    }
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        TRY(add_row(f, &rows[i]));
    }
    return add_socket_families(f);
}

static void release(scmp_filter_ctx *ctx)
{
    if (*ctx != NULL) {
        seccomp_release(*ctx);
    }
}

iv_rc iv_syscalls_confine(const struct iv_confine_options *options, struct iv_err *err)
{
    uint32_t otherwise = options->mode == IV_CONFINE_LOG ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(ENOSYS);
    IV_AUTO(release) scmp_filter_ctx ctx = seccomp_init(otherwise);
    ENSURE(ctx != NULL, err, IV_E_NOMEM, "seccomp: cannot make a filter");
    struct filter f = {ctx, options, err};
    TRY(fill(&f));
    return told(seccomp_load(ctx), "put the filter in force", "", err);
}

bool iv_syscalls_can(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 && seccomp_api_get() >= 1;
}

size_t iv_confine_calls(void)
{
    size_t count = 0;
    const char *last = "";
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        bool allowed = rows[i].when == ALWAYS || rows[i].when == LISTENING;
        if (allowed && strcmp(rows[i].name, last) != 0 && seccomp_syscall_resolve_name(rows[i].name) >= 0) {
            count++;
        }
        last = rows[i].name;
    }
    return count;
}
