/* SPDX-License-Identifier: Apache-2.0 */
/* Topics of our own: made where they are missing.
 * Owner/thread: any; a client of its own for the length of the call.
 * Guarantee: a topic that is there stays as it is. */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "stream/property.h"

struct iv_topic_setting {
    const char *name; /* as the broker has it: "max.message.bytes" */
    const char *value;
};

struct iv_topic_plan {
    struct iv_str name;
    int32_t partitions;
    const struct iv_topic_setting *settings;
    size_t setting_count;
};

/* Replicas are as many as the broker makes by default. *width is how many partitions the topic has, which are
 * others than planned where it was there before. IV_E_BROKER: nobody answered within `wait`. IV_E_REFUSED:
 * the broker would not make it. */
iv_rc iv_topic_make(int32_t *width, const struct iv_property *properties, size_t property_count,
                    const struct iv_topic_plan *plan, iv_ns wait, struct iv_err *err);
