/* SPDX-License-Identifier: Apache-2.0 */
/* What consumer and producer share: properties, the client's own log, and what its errors mean. Private to
 * this room; the only header of it, with assignment.h, that shows librdkafka. */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "stream/property.h"
#include "stream/source.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Our default for a property. */
struct iv_profile {
    const char *name;
    const char *value;
    const char *why; /* not NULL: what stands on it; another value is refused */
};

/* The configuration of a client: the library's defaults, then the profile, then the properties. IV_E_REFUSED
 * names the property, and the nearest where it is unknown. */
iv_rc iv_client_conf(rd_kafka_conf_t **out, const struct iv_profile *profile, size_t profile_count,
                     const struct iv_property *properties, size_t count, struct iv_err *err);
iv_rc iv_client_set(rd_kafka_conf_t *conf, const struct iv_property *property, struct iv_err *err);
void iv_client_conf_freep(rd_kafka_conf_t **conf);

/* Makes the client; takes the configuration on success. */
iv_rc iv_client_new(rd_kafka_t **out, rd_kafka_type_t type, rd_kafka_conf_t **conf, struct iv_err *err);

/* What an error of the library or the broker is to us. */
enum iv_code iv_client_code(rd_kafka_resp_err_t error);

/* The library counts milliseconds; what is above 0 is at least one. */
int iv_client_milliseconds(iv_ns length);

/* How many partitions the topic has; else *width 0, and *error says why: it is not there, or not to be seen.
 * False: nobody answered within `wait`, and *error says why. The library looks after a topic that it was
 * asked for as after a subscribed one. */
bool iv_client_width(rd_kafka_t *rk, const char *topic, int32_t *width, rd_kafka_resp_err_t *error,
                     iv_ns wait);
/* Of both streams; 0 of one that has no topic. From then on the client knows these partitions: of those that
 * were added since it last heard of the topic it would not know for minutes. IV_E_BROKER: of one of them it
 * was not told. */
iv_rc iv_client_widths(rd_kafka_t *rk, int32_t widths[IV_STREAMS], char *const topics[IV_STREAMS], iv_ns wait,
                       struct iv_err *err);
