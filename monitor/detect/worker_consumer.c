/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's consumer: under what name it is opened. */
#include "detect/worker.h"

#include "base/guard.h"

#include <stdio.h>

/* Static membership names a member, and each worker is one: NAME-0, NAME-1, … Those of the exchange are a
 * group of their own, GROUP.exchange. */
iv_rc iv_worker_name(struct iv_worker *worker, const struct iv_property *kafka, size_t count,
                     struct iv_err *err)
{
    char instance[16];
    (void)snprintf(instance, sizeof instance, "-%u", worker->member);
    struct iv_str group = worker->kind == IV_WORKER_EXCHANGE ? IV_STR(".exchange") : IV_STR("");
    return iv_member_init(&worker->name, kafka, count, group, iv_str_of(instance), err);
}

iv_rc iv_worker_open_consumer(struct iv_worker *worker, struct iv_err *err)
{
    struct iv_consumer_options options = {.properties = worker->name.properties,
                                          .property_count = worker->name.count,
                                          .hooks = iv_worker_hooks(worker)};
    if (worker->kind == IV_WORKER_EXCHANGE) {
        options.topics[0] = worker->site.exchange;
    } else {
        for (size_t s = 0; s < IV_STREAMS; s++) {
            options.topics[s] = worker->site.topics[s];
        }
    }
    TRY(iv_consumer_open(&worker->consumer, &options, err));
    worker->site.consumer = worker->consumer;
    return IV_OK;
}
