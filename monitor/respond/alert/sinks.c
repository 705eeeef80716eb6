/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/alert/sink.h"

#include <stdarg.h>
#include <stdio.h>

#define SINK(symbol) extern const struct iv_sink_kind iv_sink_##symbol;
#include "respond/alert/sinks.def"
#undef SINK

const struct iv_sink_kind *const iv_sink_kinds[] = {
#define SINK(symbol) &iv_sink_##symbol,
#include "respond/alert/sinks.def"
#undef SINK
};
const size_t iv_sink_kind_count = IV_COUNT(iv_sink_kinds);

const struct iv_sink_kind *iv_sink_kind(struct iv_str name)
{
    for (size_t i = 0; i < iv_sink_kind_count; i++) {
        if (iv_str_eq(iv_str_of(iv_sink_kinds[i]->name), name)) {
            return iv_sink_kinds[i];
        }
    }
    return NULL;
}

void iv_delivery_again(struct iv_delivery *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    out->kind = IV_DELIVERY_AGAIN;
    (void)vsnprintf(out->why, sizeof out->why, format, args);
    va_end(args);
}

void iv_delivery_refused(struct iv_delivery *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    out->kind = IV_DELIVERY_REFUSED;
    (void)vsnprintf(out->why, sizeof out->why, format, args);
    va_end(args);
}
