/* SPDX-License-Identifier: Apache-2.0 */
/* Confinement: what a process can no longer do once it has read what it needs, whatever becomes of it.
 * Purpose: a mistake in the handling of hostile bytes must not become a foothold. In this order: another
 * user; no capabilities, no_new_privs, no core; files and ports by Landlock; system calls by seccomp.
 * Owner/thread: the main thread, once, while it is the only one: threads inherit what it has.
 * Guarantee: either all of it is in force, or the caller is told what is not, or there is an error.
 * Not here: what a service manager does around the process (deploy/systemd). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "confine/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum iv_confine_mode {
    IV_CONFINE_ENFORCE,
    IV_CONFINE_LOG, /* a system call that is not allowed is made and logged by the kernel; no Landlock, which
                       cannot only log */
    IV_CONFINE_OFF, /* nothing but the other user */
};

struct iv_confine_paths {
    struct iv_str *items; /* files, or folders with all that is in them */
    size_t count;
};

struct iv_confine_options {
    enum iv_confine_mode mode;
    const struct iv_identity *become; /* NULL: stays who it is */
    struct iv_confine_paths reads;    /* beside what the C library and TLS read of the system */
    struct iv_confine_paths writes;   /* folders in which files are made, changed and removed */
    bool listens;                     /* on this port, 0: on one that the system chooses */
    uint16_t port;
};

/* What is in force. */
struct iv_confined {
    bool user;           /* another one than it was started as */
    bool privileges;     /* capabilities empty, no_new_privs, no core */
    bool seccomp;        /* in force; not where it only logs */
    int landlock_abi;    /* 0: this kernel has no Landlock */
    bool ports;          /* listening is confined as well, which takes ABI 4 */
    bool for_sanitizers; /* the build has sanitizers, which need more than the program, ptrace among it */
};

/* Puts it in force. What the kernel does not have is left out; anything else that fails is an error. */
iv_rc iv_confine(struct iv_confined *out, const struct iv_confine_options *options, struct iv_err *err);

/* The same without doing it: what a start on this machine would have. */
void iv_confine_preview(struct iv_confined *out, const struct iv_confine_options *options);

/* The paths of the system that are readable in any case. */
struct iv_confine_paths iv_confine_system_reads(void);
/* Whether this build has sanitizers. */
bool iv_confine_for_sanitizers(void);
/* How many system calls are allowed. */
size_t iv_confine_calls(void);
