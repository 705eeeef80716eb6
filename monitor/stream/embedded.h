/* SPDX-License-Identifier: Apache-2.0 */
/* A broker inside this process, for the demo and for tests: librdkafka's own, over TCP on loopback.
 * Owner/thread: opened and closed by one thread; any client of this machine may use it meanwhile. Limits:
 * nothing is kept on disk; a partition holds the newest 5 MB; a fetch that finds nothing is answered only
 * after fetch.wait.max.ms; no TLS, no SASL, no isolation of transactions. What is promised about delivery is
 * proved against a real broker (tests/broker). */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_embedded_topic {
    const char *name;
    int partitions;
};

struct iv_embedded;

iv_rc iv_embedded_open(struct iv_embedded **out, int brokers, const struct iv_embedded_topic *topics,
                       size_t count, struct iv_err *err);
void iv_embedded_close(struct iv_embedded *embedded);
void iv_embedded_closep(struct iv_embedded **embedded);

/* For bootstrap.servers; lives as long as the broker. */
const char *iv_embedded_servers(const struct iv_embedded *embedded);

/* Takes all brokers down (connections break, none is accepted) or up again. */
iv_rc iv_embedded_set_down(struct iv_embedded *embedded, bool down, struct iv_err *err);
