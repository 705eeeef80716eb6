/* SPDX-License-Identifier: Apache-2.0 */
/* The program's own log: one line an event, logfmt or JSON, on standard error.
 * Purpose: constant event names with typed values; ids and digests are values, secrets and payloads never
 * are.
 * Owner/thread: configured once before threads start; then any thread, a line at a time.
 * Not here: what the core says. Core and base return errors; the rooms of the shell log. */
#pragma once

#include "base/str.h"

#include <stdint.h>

enum iv_log_level { IV_LOG_ERROR, IV_LOG_WARN, IV_LOG_INFO, IV_LOG_DEBUG };
enum iv_log_format { IV_LOG_LOGFMT, IV_LOG_JSON };

void iv_log_configure(enum iv_log_level level, enum iv_log_format format);

struct iv_log_kv {
    const char *key;
    enum { IV_LOG_STR, IV_LOG_I64, IV_LOG_F64 } kind;
    struct iv_str str;
    int64_t i64;
    double f64;
};

#define KV_STR(key, value) ((struct iv_log_kv){(key), IV_LOG_STR, (value), 0, 0})
#define KV_TEXT(key, value) ((struct iv_log_kv){(key), IV_LOG_STR, iv_str_of(value), 0, 0})
#define KV_I64(key, value) ((struct iv_log_kv){(key), IV_LOG_I64, {NULL, 0}, (int64_t)(value), 0})
#define KV_F64(key, value) ((struct iv_log_kv){(key), IV_LOG_F64, {NULL, 0}, 0, (value)})

/* event is a constant, dotted name such as "kafka.partition.revoked". */
void iv_log(enum iv_log_level level, const char *event, const struct iv_log_kv *kvs, size_t count);

#define LOG_AT(level, event, ...)                                                                            \
    iv_log((level), (event), (const struct iv_log_kv[]){__VA_ARGS__},                                        \
           sizeof((const struct iv_log_kv[]){__VA_ARGS__}) / sizeof(struct iv_log_kv))
/* At least one key each: a line that says only that something happened helps nobody. */
#define LOG_ERROR(event, ...) LOG_AT(IV_LOG_ERROR, event, __VA_ARGS__)
#define LOG_WARN(event, ...) LOG_AT(IV_LOG_WARN, event, __VA_ARGS__)
#define LOG_INFO(event, ...) LOG_AT(IV_LOG_INFO, event, __VA_ARGS__)
#define LOG_DEBUG(event, ...) LOG_AT(IV_LOG_DEBUG, event, __VA_ARGS__)
