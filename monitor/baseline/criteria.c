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

bool iv_criterion_at(char out[8], size_t index)
{
    for (size_t i = 0; i < IV_COUNT(series); i++) {
        if (index < series[i].count) {
            (void)snprintf(out, 8, "%s%c", series[i].prefix, (char)('1' + index)); /* nine at most */
            return true;
        }
        index -= series[i].count;
    }
    return false;
}

void iv_load_criterion(struct iv_load *load, struct iv_str id, const struct iv_yaml_node *node)
{
    char texts[CRITERIA][8];
    struct iv_str names[CRITERIA];
    for (size_t n = 0; n < CRITERIA && iv_criterion_at(texts[n], n); n++) {
        names[n] = iv_str_of(texts[n]);
        if (iv_str_eq(names[n], id)) {
            return;
        }
    }
    iv_yaml_warning(load->problems, node, "'" IV_STR_FMT "' is none of the Trust Services Criteria%s",
                    IV_STR_ARG(id), iv_yaml_nearest(id, names, CRITERIA).text);
}
