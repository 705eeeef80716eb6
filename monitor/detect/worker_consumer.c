/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's consumer: by what properties it is opened. */
#include "base/alloc.h"
#include "base/guard.h"
#include "detect/worker.h"

#define TEXT_MAX_BYTES ((size_t)4096)
#define DEFAULT_GROUP IV_STR("invigil")

/* Appends a text to the worker's own, whose room never moves. */
static struct iv_str keep(struct iv_worker *w, size_t from)
{
    return (struct iv_str){w->texts.p + from, w->texts.n - from};
}

/* Static membership names a member, and each worker is one: NAME-0, NAME-1, … Those of the exchange are a
 * group of their own, GROUP.exchange. */
static void change(struct iv_worker *w, struct iv_property *property)
{
    size_t from = w->texts.n;
    if (iv_str_eq(property->name, IV_STR("group.instance.id"))) {
        iv_buf_printf(&w->texts, IV_STR_FMT "-%u", IV_STR_ARG(property->value), w->member);
        property->value = keep(w, from);
    } else if (iv_str_eq(property->name, IV_STR("group.id")) && w->kind == IV_WORKER_EXCHANGE) {
        iv_buf_printf(&w->texts, IV_STR_FMT ".exchange", IV_STR_ARG(property->value));
        property->value = keep(w, from);
    }
}

iv_rc iv_worker_properties(struct iv_worker *worker, const struct iv_property *kafka, size_t count,
                           struct iv_err *err)
{
    worker->properties = iv_calloc(count + 1, sizeof *worker->properties);
    iv_buf_init(&worker->texts, TEXT_MAX_BYTES);
    ENSURE(worker->properties != NULL && iv_buf_reserve(&worker->texts, TEXT_MAX_BYTES), err, IV_E_NOMEM,
           "cannot allocate a consumer's properties");
    worker->properties[worker->property_count++] = (struct iv_property){IV_STR("group.id"), DEFAULT_GROUP};
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(kafka[i].name, IV_STR("group.id"))) {
            worker->properties[0] = kafka[i];
        } else {
            worker->properties[worker->property_count++] = kafka[i];
        }
    }
    for (size_t i = 0; i < worker->property_count; i++) {
        change(worker, &worker->properties[i]);
    }
    return iv_buf_check(&worker->texts, "a consumer's properties", err);
}

iv_rc iv_worker_open_consumer(struct iv_worker *worker, struct iv_err *err)
{
    struct iv_consumer_options options = {.properties = worker->properties,
                                          .property_count = worker->property_count,
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
