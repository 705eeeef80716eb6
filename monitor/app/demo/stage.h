/* SPDX-License-Identifier: Apache-2.0 */
/* What the demo plays before the monitor: a broker, a fleet that sends to it, a receiving end for the hooks.
 * Owner/thread: set up and torn down by one thread; the fleet sends on its own, the hooks are received on a
 * third.
 * Not here: the monitor (monitor.h), which knows nothing of the demo. */
#pragma once

#include "base/err.h"
#include "daemon/config.h"
#include "fleet/plant_list.h"

#include <stdint.h>

struct iv_stage;

struct iv_stage_options {
    unsigned agents;
    double violations;
    uint64_t seed;
    struct iv_str listen; /* the console's address; p NULL: 127.0.0.1:8088 */
};

/* Makes a folder under TMPDIR (or /tmp) with the baseline, the store and the hooks' key in it. */
iv_rc iv_stage_open(struct iv_stage **out, const struct iv_stage_options *options, struct iv_err *err);
void iv_stage_close(struct iv_stage *stage); /* removes the folder */
void iv_stage_closep(struct iv_stage **stage);

/* Lets the fleet send, event by event as its clock says. */
iv_rc iv_stage_play(struct iv_stage *stage, struct iv_err *err);

/* The configuration that points the monitor at this stage; lives as long as the stage. */
const struct iv_config *iv_stage_config(const struct iv_stage *stage);

struct iv_stage_figures {
    uint64_t events;  /* sent */
    uint64_t planted; /* violations */
    uint64_t hooks;   /* calls received, with a key that was not seen before */
    uint64_t repeats; /* calls with a key that was */
};
void iv_stage_figures(struct iv_stage *stage, struct iv_stage_figures *out);

/* Calls visit for each violation planted so far. */
void iv_stage_plants(struct iv_stage *stage, void (*visit)(void *ctx, const struct iv_fleet_plant *plant),
                     void *ctx);
