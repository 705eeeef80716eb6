/* SPDX-License-Identifier: Apache-2.0 */
/* How many distinct ones there were.
 * Purpose: distinct agents of many events, in bounded memory, of several counters together.
 * Owner/thread: whoever holds it; zeroed is empty. Guarantee: exact up to IV_CROWD_EXACT, then an estimate
 * with a standard error of 1.6 %. What is added twice, or merged again, changes nothing; the order does not
 * matter. Source: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 4,096 registers and its
 * correction of small counts; hashes have 64 bits, so that great ones need none. Not here: hashing. Who
 * chooses what is counted can invent as many as he likes, whatever the hash; so it need not be secret, and
 * must be the same wherever crowds are merged. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IV_CROWD_EXACT 256
#define IV_CROWD_REGISTERS 4096
/* As bytes, at most. */
#define IV_CROWD_BYTES (1 + IV_CROWD_REGISTERS)

struct iv_crowd {
    uint64_t *hashes;         /* ascending; NULL: none yet, or too many */
    size_t count;             /* of them */
    unsigned char *registers; /* NULL: it is exact */
};

void iv_crowd_deinit(struct iv_crowd *crowd);
/* None again. */
void iv_crowd_clear(struct iv_crowd *crowd);
/* False when memory is out, as are the next two. *news, which may be NULL: the crowd has changed. */
bool iv_crowd_add(struct iv_crowd *crowd, uint64_t hash, bool *news);
bool iv_crowd_merge(struct iv_crowd *crowd, const struct iv_crowd *other);
uint64_t iv_crowd_count(const struct iv_crowd *crowd);

/* Appends the bytes: 'E' and the hashes, ascending, each of 8 bytes with the lower first; or 'H' and the
 * registers. */
void iv_crowd_write(struct iv_buf *out, const struct iv_crowd *crowd);
/* Adds what the bytes say. *bad: they are no such bytes. */
bool iv_crowd_read(struct iv_crowd *crowd, bool *bad, struct iv_str bytes);
