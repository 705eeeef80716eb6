/* SPDX-License-Identifier: Apache-2.0 */
/* What is simulated: a random baseline with a playbook, and what arrives under it, as tests/property makes
 * them. Many schedules are played on one scene.
 * Owner/thread: one thread; a scene is made, played and freed. */
#pragma once

#include "compare.h"
#include "generate.h"
#include "reference/reference.h"

#include "respond/playbook.h"

struct scene {
    uint64_t seed;
    struct world world;
    struct iv_buf baseline_yaml;
    struct iv_buf pack_yaml;
    struct iv_baseline *baseline;
    struct iv_playbooks *playbooks;
    struct reference *reference;
    struct arrivals arrivals; /* of each partition in order, and by the time at which they may stand there */
    struct iv_arena arena;
    struct engine_run run; /* its events, decoded; what was said of them is for the auditor to fill in */
};

/* folder: where the baseline's files are written to. False: the generator made what does not load, which is
 * told. */
bool scene_init(struct scene *scene, uint64_t seed, const char *folder);
void scene_deinit(struct scene *scene);
void scene_report(const struct scene *scene);
