/* SPDX-License-Identifier: Apache-2.0 */
/* What both OCSF classes begin with. Internal to the room. */
#pragma once

#include "base/json_write.h"
#include "evidence/ocsf.h"

/* Category, class, activity and type of an event: type_uid is class_uid * 100 + activity_id. */
struct iv_ocsf_class {
    int category_uid;
    const char *category_name;
    int class_uid;
    const char *class_name;
};
void iv_ocsf_classification(struct iv_json *j, const struct iv_ocsf_class *c, int activity_id,
                            const char *activity, enum iv_severity severity);

/* Milliseconds since the epoch, rounded down, which is what OCSF's timestamp_t holds. */
int64_t iv_ocsf_ms(iv_ns t);
/* Bytes as hex digits; at most IV_DIGEST_MAX_BYTES of them. */
void iv_ocsf_hex(struct iv_json *j, const char *name, const unsigned char *bytes, size_t n);
void iv_ocsf_product(struct iv_json *j);
/* One entry of metadata.tags. */
void iv_ocsf_tag(struct iv_json *j, const char *name, struct iv_str value);
/* "saw": what the rule saw under each name that its form reads; "saw_left_out": how many more there were. */
void iv_ocsf_saw(struct iv_json *j, const struct iv_baseline *baseline, const struct iv_verdict *v);
