/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/rule_text.h"

#include "base/guard.h"
#include "baseline/yaml.h"

static const struct iv_yaml_node *rule_in(const struct iv_yaml *document, struct iv_str id)
{
    const struct iv_yaml_node *rules = iv_yaml_at(iv_yaml_root(document), "rules");
    for (size_t i = 0; rules != NULL && rules->kind == IV_YAML_LIST && i < rules->count; i++) {
        const struct iv_yaml_node *named = iv_yaml_at(rules->items[i], "id");
        if (named != NULL && named->kind == IV_YAML_SCALAR && iv_str_eq(named->text, id)) {
            return rules->items[i];
        }
    }
    return NULL;
}

iv_rc iv_rule_text(struct iv_buf *out, struct iv_str file, struct iv_str id, struct iv_err *err)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    IV_AUTO(iv_yaml_freep) struct iv_yaml *document = NULL;
    TRY(iv_problems_new(&problems, err));
    struct iv_rc_s rc = iv_yaml_parse(&document, IV_STR("a baseline"), file, NULL, problems, err);
    if (rc.code == IV_E_REFUSED) {
        return IV_OK;
    }
    TRY(rc);
    const struct iv_yaml_node *rule = rule_in(document, id);
    if (rule != NULL) {
        iv_buf_str(out, iv_yaml_source(rule));
    }
    return IV_OK;
}
