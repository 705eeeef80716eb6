/* SPDX-License-Identifier: Apache-2.0 */
/* What the API says about a row of the store, as JSON. dashboards/openapi.yaml has the schemas. */
#pragma once

#include "base/json_write.h"
#include "evidence/reader.h"

/* 0, and the empty text: null. */
void iv_show_time(struct iv_json *j, const char *name, iv_ns t);
void iv_show_optional(struct iv_json *j, const char *name, struct iv_str s);

/* The list "criteria" of "CC6.1 CC6.3". */
void iv_show_criteria(struct iv_json *j, struct iv_str list);

/* An iv_alert_sink_visit; ctx is the writer, in a list. */
struct iv_alert_sink_state;
bool iv_show_sink(void *ctx, const struct iv_alert_sink_state *sink);

/* Who waived, why, until when, and who ended it before: members of the object that is open. */
struct iv_console_waiver;
void iv_show_waiver(struct iv_json *j, const struct iv_console_waiver *w);

/* Schema Finding; name as in json_write.h. */
void iv_show_finding(struct iv_json *j, const char *name, const struct iv_finding *finding);

/* Schema Execution, its steps read by the same reader. */
iv_rc iv_show_execution(struct iv_json *j, const char *name, struct iv_reader *reader,
                        const struct iv_execution *execution, struct iv_err *err);

/* Schema Execution, as a list named name of a page of those that a filter selects. *next: what the next page
 * begins behind; 0: there is none. */
iv_rc iv_show_executions(struct iv_json *j, const char *name, struct iv_reader *reader,
                         const struct iv_execution_filter *filter, int64_t *next, struct iv_err *err);

/* A list named roles, of bits 1u << enum iv_user_role. */
void iv_show_roles(struct iv_json *j, unsigned roles);
