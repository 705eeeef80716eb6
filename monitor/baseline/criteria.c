/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/load.h"

#include "base/guard.h"

#include <stdio.h>

static const struct {
    const char *prefix;
    unsigned count;
} series[] = {
#define SERIES(prefix, count) {prefix, count},
#include "baseline/criteria.def"
#undef SERIES
};

enum {
    CRITERIA = 0
#define SERIES(prefix, count) +(count)
#include "baseline/criteria.def"
#undef SERIES
};
_Static_assert(CRITERIA == 61,
               "33 common ones, 3 of availability, 2 of confidentiality, 5 of integrity, 18 of privacy");

void iv_load_criterion(struct iv_load *load, struct iv_str id, const struct iv_yaml_node *node)
{
    char texts[CRITERIA][8];
    struct iv_str names[CRITERIA];
    size_t n = 0;
    for (size_t i = 0; i < IV_COUNT(series); i++) {
        for (unsigned c = 1; c <= series[i].count && n < CRITERIA; c++) {
            (void)snprintf(texts[n], sizeof texts[n], "%s%u", series[i].prefix, c);
            names[n] = iv_str_of(texts[n]);
            if (iv_str_eq(names[n++], id)) {
                return;
            }
        }
    }
    iv_yaml_warning(load->problems, node, "'" IV_STR_FMT "' is none of the Trust Services Criteria%s",
                    IV_STR_ARG(id), iv_yaml_nearest(id, names, n).text);
}
