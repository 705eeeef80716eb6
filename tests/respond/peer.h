/* SPDX-License-Identifier: Apache-2.0 */
/* The real thing on the other side: a program that says on its first line where it is, and then answers each
 * line with one. It ends when its input does. */
#pragma once

#include <stdio.h>
#include <sys/types.h>

struct peer {
    pid_t pid;
    FILE *in;
    FILE *out;
    char line[8192]; /* the newest, without its end */
};

/* Ends the test where the package is not in the peers' npm tree (peer_missing). */
void peer_tree(const char *package);
/* Ends the test as skipped, and says why, which CTest looks for: Criterion itself keeps silent about it. For
 * what the kernel, or whoever started the test, does not let. */
void peer_skip(const char *why);
/* Ends the test as failed where tests/run has installed what it takes (IV_INSTALLED), else as skipped. */
void peer_missing(const char *what);
/* words end with NULL. Aborts the test where the program does not start. */
struct peer peer_start(const char *const *words);
/* A script of tests/respond/, by node in the npm tree. */
struct peer peer_node(const char *script, const char *argument);
const char *peer_ask(struct peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void peer_stop(struct peer *peer);
