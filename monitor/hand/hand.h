/* SPDX-License-Identifier: Apache-2.0 */
/* The hand: a process beside the monitor that acts on this machine.
 * Purpose: what the monitor gives up (starting programs, other users, control groups, signals to others) is
 * split off before it does, into a process that reads nothing from outside, and of which the monitor can ask
 * only what the configuration lists.
 * Owner/thread: started by the main thread while it is the only one; orders and reports belong to one thread.
 * Guarantee: no shell; an empty environment; time and output bounded. It ends, and with it what it has
 * started, when the monitor does.
 * Not here: what a report means for a step (respond/). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A program that may be started, and how. */
struct iv_hand_command {
    struct iv_str name;
    struct iv_str path;             /* absolute */
    const struct iv_str *arguments; /* "{{NAME}}" in one stands for the order's value of that name */
    size_t argument_count;
    struct iv_str user; /* p NULL: who started the monitor */
    iv_ns timeout;
    int64_t output; /* bytes that are kept */
};

struct iv_hand_options {
    const struct iv_hand_command *commands;
    size_t command_count;
    struct iv_str cgroups;    /* the folder below which groups may be frozen and killed; p NULL: none */
    struct iv_str runtime;    /* of containers: runc, or what takes its commands; p NULL: none */
    struct iv_str containers; /* the runtime's --root; p NULL: its own */
    struct iv_str sockets;    /* the folder of virtual machines' API sockets; p NULL: none */
};

/* IV_E_REFUSED: a path that is not absolute, a user that is not there. */
iv_rc iv_hand_check(const struct iv_hand_options *options, struct iv_err *err);
bool iv_hand_wanted(const struct iv_hand_options *options); /* there is something that it may do */

struct iv_hand;
/* The process; options are the child's own copy of the caller's memory. wipe (may be NULL) runs in it, to
 * take out of that memory what the hand must not have. */
iv_rc iv_hand_start(struct iv_hand **out, const struct iv_hand_options *options, void (*wipe)(void *ctx),
                    void *ctx, struct iv_err *err);
/* Ends the process and waits for it. */
void iv_hand_stop(struct iv_hand *hand);
void iv_hand_stopp(struct iv_hand **hand);

enum iv_hand_verb {
    IV_HAND_RUN,           /* NAME, then NAME and VALUE in turn */
    IV_HAND_CGROUP_KILL,   /* PATH below cgroups */
    IV_HAND_CGROUP_FREEZE, /* PATH */
    IV_HAND_CGROUP_THAW,   /* PATH */
    IV_HAND_OCI_KILL,      /* CONTAINER */
    IV_HAND_OCI_PAUSE,     /* CONTAINER */
    IV_HAND_OCI_RESUME,    /* CONTAINER */
    IV_HAND_VMM_PAUSE,     /* path of the API socket below sockets */
    IV_HAND_VMM_RESUME,    /* NAME */
    IV_HAND_VMM_SNAPSHOT,  /* NAME, path of the state, path of the memory, both as the machine's process sees
                              them */
    IV_HAND_VMM_KILL,      /* NAME */
    IV_HAND_VERBS
};

/* Whether a name can be one of a group or a socket: segments below the folder, none empty, "." or "..". */
bool iv_hand_is_below(struct iv_str name);
/* Whether a runtime takes it for a container's name. */
bool iv_hand_is_container(struct iv_str name);

#define IV_HAND_WORDS_MAX 48
struct iv_hand_order {
    enum iv_hand_verb verb;
    struct iv_str words[IV_HAND_WORDS_MAX];
    size_t count;
    iv_ns timeout;
};
/* IV_E_BUSY: the hand has more orders than it takes at once. IV_E_STATE: it has ended. */
iv_rc iv_hand_send(struct iv_hand *hand, uint64_t id, const struct iv_hand_order *order, struct iv_err *err);

enum iv_hand_result {
    IV_HAND_DONE,
    IV_HAND_ABSENT, /* there is nothing to act on */
    IV_HAND_AGAIN,  /* it may go better another time */
    IV_HAND_FAILED,
    IV_HAND_UNSUPPORTED, /* the configuration, or this machine, has no such thing */
    IV_HAND_RESULTS
};
struct iv_hand_report {
    uint64_t id;
    enum iv_hand_result result;
    int status;          /* of a program's exit; 0 else */
    struct iv_str cause; /* a sentence; both in the buffer that was read into */
    struct iv_str output;
};
int iv_hand_fd(const struct iv_hand *hand); /* readable: there is a report, or an end */
/* One report; *any is false when there is none now. IV_E_STATE: the hand has ended. */
iv_rc iv_hand_receive(struct iv_hand *hand, struct iv_hand_report *out, bool *any, struct iv_buf *buffer,
                      struct iv_err *err);
