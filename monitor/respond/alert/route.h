/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told of what. Pure.
 * Owner/thread: immutable once read; any thread. */
#pragma once

#include "base/str.h"
#include "evidence/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A route takes what has all that it names. */
struct iv_alert_route {
    const struct iv_str *rules; /* globs; count 0: any */
    size_t rule_count;
    const struct iv_str *criteria; /* one of them */
    size_t criterion_count;
    const struct iv_str *tenants; /* globs */
    size_t tenant_count;
    uint32_t severities; /* bits 1u << enum iv_severity; 0: any */
    bool inconclusive;   /* takes findings that are not certain too; else violations only */
    bool observed;       /* takes rules that are only observed too */
    uint32_t to;         /* bits of sinks */
    bool go_on;          /* the routes behind it are asked as well */
};

/* What a route looks at. */
struct iv_alert_matter {
    struct iv_str rule;
    struct iv_str criteria; /* "CC6.1 CC6.3" */
    struct iv_str tenant;
    enum iv_severity severity;
    bool inconclusive;
    bool observed;
};

/* The sinks that are told, a bit each. */
uint32_t iv_alert_route(const struct iv_alert_route *routes, size_t count,
                        const struct iv_alert_matter *matter);
