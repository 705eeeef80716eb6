/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/route.h"

#include <string.h>

static bool any_glob(const struct iv_str *globs, size_t count, struct iv_str text)
{
    bool any = count == 0;
    for (size_t i = 0; i < count && !any; i++) {
        any = iv_glob(globs[i], text);
    }
    return any;
}

/* list: words with single spaces between. */
static bool has_word(struct iv_str list, struct iv_str word)
{
    for (size_t start = 0; start < list.n;) {
        const char *space = memchr(list.p + start, ' ', list.n - start);
        size_t end = space == NULL ? list.n : (size_t)(space - list.p);
        if (iv_str_eq((struct iv_str){list.p + start, end - start}, word)) {
            return true;
        }
        start = end + 1;
    }
    return false;
}

static bool any_criterion(const struct iv_alert_route *r, struct iv_str criteria)
{
    bool any = r->criterion_count == 0;
    for (size_t i = 0; i < r->criterion_count && !any; i++) {
        any = has_word(criteria, r->criteria[i]);
    }
    return any;
}

static bool takes(const struct iv_alert_route *r, const struct iv_alert_matter *m)
{
    return (r->severities == 0 || (r->severities >> m->severity & 1u) != 0) &&
           (r->inconclusive || !m->inconclusive) && (r->observed || !m->observed) &&
           any_glob(r->rules, r->rule_count, m->rule) && any_glob(r->tenants, r->tenant_count, m->tenant) &&
           any_criterion(r, m->criteria);
}

uint32_t iv_alert_route(const struct iv_alert_route *routes, size_t count,
                        const struct iv_alert_matter *matter)
{
    uint32_t to = 0;
    for (size_t i = 0; i < count; i++) {
        if (takes(&routes[i], matter)) {
            to |= routes[i].to;
            if (!routes[i].go_on) {
                break;
            }
        }
    }
    return to;
}
