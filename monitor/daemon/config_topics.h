/* SPDX-License-Identifier: Apache-2.0 */
/* The topics of a daemon: what is read and what is written, by the configuration and the baseline together.
 * Guarantee: no two of them are one. A dead letter that came back as telemetry would be refused again, for
 * ever.
 * Not here: whether a broker has them (stream/kafka.h). */
#pragma once

#include "baseline/baseline.h"
#include "daemon/config.h"
#include "event/event.h"

/* The topic that a stream has under this baseline: the configuration's, else the baseline's own. */
struct iv_str iv_config_topic(const struct iv_config *config, const struct iv_baseline *baseline,
                              enum iv_stream stream);
/* IV_E_REFUSED: some name is none that Kafka has, or two are the same. */
iv_rc iv_config_topics(const struct iv_config *config, const struct iv_baseline *baseline,
                       struct iv_err *err);
