/* SPDX-License-Identifier: Apache-2.0 */
/* Who has had an event lately: distinct agents, tenants and enclaves, by five minutes of event time.
 * Purpose: what the store adds up to those who are alive (evidence/alive.h).
 * Owner/thread: one cell, one thread. Guarantee: pure and bounded: the hour that ends with the newest event,
 * and at most some 50 kB for each five minutes of it. What is told again only repeats.
 * A clock that runs ahead would put everybody else out of the hour: what lies beyond the wall's time by more
 * than a span is passed over. */
#pragma once

#include "event/event.h"
#include "evidence/alive.h"

struct iv_catalogue;
struct iv_census;

iv_rc iv_census_new(struct iv_census **out, const struct iv_catalogue *catalogue, struct iv_err *err);
void iv_census_free(struct iv_census *census); /* NULL is fine */
/* Another baseline's. */
void iv_census_reload(struct iv_census *census, const struct iv_catalogue *catalogue);

iv_rc iv_census_event(struct iv_census *census, const struct iv_event *event, iv_ns wall, struct iv_err *err);

/* Calls visit with what has changed since the last call; the bytes are valid for the length of its call. */
typedef iv_rc (*iv_census_fn)(void *ctx, const struct iv_alive_row *row, struct iv_err *err);
iv_rc iv_census_report(struct iv_census *census, iv_census_fn visit, void *ctx, struct iv_err *err);
