/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/criteria.h"

#include "base/guard.h"
#include "baseline/load.h"

static const struct iv_criterion criteria[] = {
#define CRITERION(name, shown, title) {name, shown, title},
#include "baseline/criteria.def"
#undef CRITERION
};
_Static_assert(IV_COUNT(criteria) == 61,
               "33 common ones, 3 of availability, 2 of confidentiality, 5 of integrity, 18 of privacy");

const struct iv_criterion *iv_criterion_at(size_t index)
{
    return index < IV_COUNT(criteria) ? &criteria[index] : NULL;
}

void iv_load_criterion(struct iv_load *load, struct iv_str id, const struct iv_yaml_node *node)
{
    struct iv_str names[IV_COUNT(criteria)];
    for (size_t n = 0; n < IV_COUNT(criteria); n++) {
        names[n] = iv_str_of(criteria[n].name);
        if (iv_str_eq(names[n], id)) {
            return;
        }
    }
    iv_yaml_warning(load->problems, node, "'" IV_STR_FMT "' is none of the Trust Services Criteria%s",
                    IV_STR_ARG(id), iv_yaml_nearest(id, names, IV_COUNT(names)).text);
}
