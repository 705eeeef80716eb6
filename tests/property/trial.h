/* SPDX-License-Identifier: Apache-2.0 */
/* A law, tried on one random world after the other.
 * Environment: IV_SEED=n begins there (else at random); IV_SEEDS=n tries so many (else as many as fit into 20
 * seconds, or ten minutes with IV_LONG=1).
 * Owner/thread: one thread; a trial lasts for one seed. */
#pragma once

#include "run_engine.h"

struct trial {
    uint64_t seed;
    struct dice dice; /* for what the law still has to make up */
    struct world world;
    struct iv_buf baseline_yaml;
    struct iv_buf pack_yaml;
    struct iv_baseline *baseline;
    struct reference *reference;
    bool every_moment;     /* hold each moment against the reference, not the end alone */
    struct iv_arena arena; /* of the arrivals */
    const char *folder;    /* of the baseline's files */
};

/* The trial's baseline with another pack; NULL where it does not load, which is told. */
struct iv_baseline *trial_load(const struct trial *trial, const struct iv_buf *pack_yaml);

/* What a trial says of an order of arrival: true, or why not. */
typedef bool (*trial_holds_fn)(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals,
                               void *ctx);
/* Holds; or drops records one by one as long as what is left still fails, tells of it and answers false. */
bool trial_try(struct trial *trial, struct arrivals *arrivals, trial_holds_fn holds, void *ctx);
/* Prints seed, reason, baseline and records. */
void trial_report(const struct trial *trial, const struct arrivals *arrivals, const struct iv_buf *why);

/* Tries the law on seed after seed, up to three that fail; the exit status. */
int trials_run(bool (*law)(struct trial *trial));
