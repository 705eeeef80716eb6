/* SPDX-License-Identifier: Apache-2.0 */
/* How many agents, tenants and enclaves are alive: had an event within the last hour of event time.
 * Purpose: a guard that allows a share of them must know of how many.
 * Owner/thread: as store.h and reader.h have it. Guarantee: what is put again changes nothing; one that
 * stands in several cells is one. Up to 256 it is exact (base/crowd.h). A cell that lies behind the others by
 * more than five minutes is left out, so that where something is missing there are fewer, never more. Not
 * here: counting (detect/census.h), what a share is held to (respond/guard.h). */
#pragma once

#include "base/crowd.h"
#include "evidence/reader.h"
#include "evidence/store.h"

enum iv_alive { IV_ALIVE_AGENTS, IV_ALIVE_TENANTS, IV_ALIVE_ENCLAVES, IV_ALIVE_KINDS };
const char *iv_alive_name(enum iv_alive kind);
bool iv_alive_of(enum iv_alive *out, struct iv_str name);

/* Events are counted by five minutes; the hour is of so many whole ones, and of the one at hand. */
#define IV_ALIVE_SPAN (300 * IV_NS_PER_S)
#define IV_ALIVE_SPANS 13
/* Older figures are none. */
#define IV_ALIVE_AGE (300 * IV_NS_PER_S)

struct iv_alive_row {
    enum iv_alive kind;
    iv_ns span;
    struct iv_str crowd; /* bytes */
};
/* Inside a transaction: what a cell of this process, known by a topic and a partition there, has seen anew;
 * its streams were read up to as_of. */
iv_rc iv_store_put_alive(struct iv_store *store, struct iv_str topic, int32_t partition, iv_ns as_of,
                         const struct iv_alive_row *rows, size_t count, struct iv_err *err);
/* Inside a transaction: the hours of another process's cell, which end with `span`; nothing where something
 * newer is known. */
iv_rc iv_store_tell_alive(struct iv_store *store, struct iv_str topic, int32_t partition,
                          const struct iv_alive_row *rows, size_t count, struct iv_err *err);
/* Inside a transaction: appends what others are told of the cell (coverage_text.h). */
iv_rc iv_store_alive_text(struct iv_store *store, struct iv_buf *out, struct iv_str topic, int32_t partition,
                          struct iv_err *err);

/* Inside a transaction. IV_E_ABSENT: nobody has said it. */
iv_rc iv_store_alive(struct iv_store *store, enum iv_alive kind, int64_t *alive, iv_ns *as_of,
                     struct iv_err *err);
/* Calls visit for each kind of which something is known. */
typedef void (*iv_alive_visit)(void *ctx, struct iv_str kind, int64_t alive, iv_ns as_of);
iv_rc iv_reader_alive(struct iv_reader *reader, iv_alive_visit visit, void *ctx, struct iv_err *err);
