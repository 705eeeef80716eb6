/* SPDX-License-Identifier: Apache-2.0 */
/* Writing events fast: text at a pointer, into room that the caller has reserved for a whole event.
 * Guarantee: nothing that is written here needs escaping. An event of the fleet is shorter than
 * IV_SIM_EVENT_BYTES: all that is in it is ours, and ledger.c checks it. */
#pragma once

#include "base/time.h"
#include "fleet/chance.h"
#include "fleet/names.h"

#include <string.h>

#define IV_SIM_EVENT_BYTES 4096

struct iv_sim_text {
    char *p;
};

static inline void iv_put(struct iv_sim_text *t, const char *s, size_t n)
{
    memcpy(t->p, s, n);
    t->p += n;
}

/* Of a string literal. */
#define PUT(t, literal) iv_put((t), "" literal, sizeof(literal) - 1)

static inline void iv_put_text(struct iv_sim_text *t, const char *text)
{
    iv_put(t, text, strlen(text));
}

static inline void iv_put_name(struct iv_sim_text *t, const struct iv_sim_name *name)
{
    iv_put(t, name->text, name->n);
}

/* 16 hex digits. */
static inline void iv_put_id(struct iv_sim_text *t, uint64_t number)
{
    iv_sim_hex16(t->p, number);
    t->p += 16;
}

static inline void iv_put_event_id(struct iv_sim_text *t, uint64_t id)
{
    iv_put_id(t, id);
    iv_put_id(t, iv_mix(id));
}

/* Not below 0. */
void iv_put_int(struct iv_sim_text *t, uint64_t i);
/* RFC 3339, in whole milliseconds. */
void iv_put_time(struct iv_sim_text *t, iv_ns time);
void iv_put_base64(struct iv_sim_text *t, const unsigned char *bytes, size_t n);

/* Of a number there are several digests that have nothing to do with each other. */
enum iv_sim_digest {
    IV_DIGEST_ARGS = 1,
    IV_DIGEST_INPUT,
    IV_DIGEST_OUTPUT,
    IV_DIGEST_KEY,
    IV_DIGEST_IMAGE,
    IV_DIGEST_OTHER
};

/* So many hex digits, a multiple of 16. */
void iv_put_digest(struct iv_sim_text *t, enum iv_sim_digest of, uint64_t number, unsigned digits);
