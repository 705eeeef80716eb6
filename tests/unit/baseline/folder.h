/* SPDX-License-Identifier: Apache-2.0 */
/* Baselines for tests, written to a folder of their own and loaded from there. */
#pragma once

#include "baseline/baseline.h"

struct folder {
    char path[64];
    struct iv_problems *problems;
    struct iv_baseline *baseline; /* NULL: refused */
    struct iv_err err;
    char said[8192]; /* the rendered problems */
};

/* A fresh folder; nothing is loaded yet. */
struct folder folder_new(void);
void folder_write(const struct folder *f, const char *name, const char *text);
/* Loads what stands there now; what was loaded before is let go. */
void folder_load(struct folder *f);
void folder_done(struct folder *f);

/* A folder with this behind the head of baseline.yaml, and these rules in a pack; loaded.
 * rules may be NULL. */
struct folder folder_with(const char *settings, const char *rules);

/* The one rule, or the one of this id. */
const struct iv_rule *rule_of(const struct folder *f, const char *id);
/* A trigger for overrides and waivers: an agent.started with these, each NULL for absent. The object lives
 * until the next call. */
const struct iv_object *started_agent(const struct folder *f, const char *tenant, const char *agent,
                                      const char *profile);
