/* SPDX-License-Identifier: Apache-2.0 */
/* expected.ndjson: the planted violations as the brief lines that a replay prints, in the order in
 * which they are certain.
 * Guarantee: memory holds only what is not due yet, and a count for each rule.
 * Owner/thread: one thread. */
#pragma once

#include "fleet/fleet.h"

struct iv_sim_expected;

/* path NULL: only counts. IV_E_REFUSED: the file is there already. */
iv_rc iv_sim_expected_new(struct iv_sim_expected **out, const char *path, struct iv_err *err);
void iv_sim_expected_free(struct iv_sim_expected *expected);
void iv_sim_expected_freep(struct iv_sim_expected **expected);

/* An iv_fleet_plant_fn; ctx is the expected. */
void iv_sim_expected_add(void *ctx, const struct iv_fleet_plant *plant);
/* Event time has come so far: what is due by then is a violation. */
void iv_sim_expected_pass(struct iv_sim_expected *expected, iv_ns now);
/* Event time has come to its end; what is not due stays open. The error tells of whatever failed before. */
iv_rc iv_sim_expected_close(struct iv_sim_expected *expected, iv_ns end, struct iv_err *err);

size_t iv_sim_expected_count(const struct iv_sim_expected *expected);
/* "RULE=COUNT RULE=COUNT …" by rule. */
void iv_sim_expected_tell(struct iv_buf *out, const struct iv_sim_expected *expected);
