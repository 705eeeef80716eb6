/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a JSON object by their path. Internal to the room. */
#pragma once

#include "base/err.h"
#include "base/value.h"
#include "event/decode.h"

/* The text's object, in the arena. IV_E_MALFORMED, IV_E_NOMEM. */
iv_rc iv_told_parse(struct iv_val *out, struct iv_decoder *decoder, struct iv_arena *arena,
                    struct iv_str json, struct iv_err *err);

/* "finding_info.analytic.uid"; "evidences[0]" is a list's first item. NULL: not there, or null. */
const struct iv_val *iv_told_at(const struct iv_val *object, const char *path);

/* Required; IV_E_MALFORMED names the path and what was expected there. */
iv_rc iv_told_text(struct iv_str *out, const struct iv_val *object, const char *path, struct iv_err *err);
iv_rc iv_told_int(int64_t *out, const struct iv_val *object, const char *path, int64_t min, int64_t max,
                  struct iv_err *err);
iv_rc iv_told_time(iv_ns *out, const struct iv_val *object, const char *path, struct iv_err *err);
/* Milliseconds since the epoch. */
iv_rc iv_told_ms(iv_ns *out, const struct iv_val *object, const char *path, struct iv_err *err);
/* 64 lower-case hex digits. */
iv_rc iv_told_uid(struct iv_str *out, const struct iv_val *object, const char *path, struct iv_err *err);

/* The tags' "baseline.digest"; empty where there is none. */
struct iv_str iv_told_baseline(const struct iv_val *object);
/* Empty where it is absent or no string. */
struct iv_str iv_told_text_or_empty(const struct iv_val *object, const char *path);
