/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/trial.h"

#include "base/guard.h"

#define MADE_OF_MAX_BYTES ((size_t)4 << 20)

void iv_trial_init(struct iv_trial *trial, struct iv_str path, struct iv_baseline *loaded,
                   struct iv_decoder *decoder, struct iv_hash_key hash_key)
{
    *trial = (struct iv_trial){.path = path, .loaded = loaded, .its_decoder = decoder, .hash_key = hash_key};
    iv_buf_init(&trial->made_of, MADE_OF_MAX_BYTES);
    iv_arena_init(&trial->keys.arena, 0);
}

static void forget(struct iv_trial *trial)
{
    iv_decoder_free(trial->its_changed);
    iv_baseline_unref(trial->changed);
    iv_test_keys_deinit(&trial->keys);
    trial->its_changed = NULL;
    trial->changed = NULL;
    trial->keys = (struct iv_test_keys){.count = 0};
    iv_arena_init(&trial->keys.arena, 0);
    iv_buf_clear(&trial->made_of);
}

void iv_trial_deinit(struct iv_trial *trial)
{
    forget(trial);
    iv_test_keys_deinit(&trial->keys);
    iv_buf_deinit(&trial->made_of);
}

static iv_rc load(struct iv_trial *trial, const struct iv_baseline_trial *as, struct iv_err *err)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *apart = NULL;
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    TRY(iv_problems_new(&apart, err)); /* its warnings were told when the whole baseline was loaded */
    TRY(iv_baseline_load_trial(&trial->changed, trial->path, as, apart, err));
    return iv_decoder_new(&trial->its_changed, trial->changed->catalogue, &limits, trial->hash_key, err);
}

static iv_rc change(struct iv_trial *trial, const struct iv_rule *rule, const struct iv_yaml_node *test,
                    struct iv_problems *problems, struct iv_err *err)
{
    const struct iv_yaml_node *parameters = iv_yaml_at(test, "parameters");
    TRY(iv_test_keys_read(&trial->keys, iv_yaml_at(test, "keys"), problems, err));
    struct iv_baseline_trial as = {
        .rule = rule->id, .parameters = parameters, .keys = trial->keys.ring, .key_count = trial->keys.count};
    struct iv_rc_s rc = load(trial, &as, err);
    if (rc.code == IV_E_REFUSED) { /* now for what is wrong with it, among everything else that is */
        iv_yaml_error(problems, parameters != NULL ? parameters : test,
                      "the baseline is refused with the parameters and keys of this test");
        struct iv_err again = {0};
        struct iv_baseline *none = NULL;
        (void)iv_ok(iv_baseline_load_trial(&none, trial->path, &as, problems, &again));
    }
    return rc;
}

static void describe(struct iv_buf *out, const struct iv_rule *rule, const struct iv_yaml_node *test)
{
    static const char *const keys[] = {"parameters", "keys"};
    iv_buf_str(out, rule->id);
    for (size_t i = 0; i < IV_COUNT(keys); i++) {
        const struct iv_yaml_node *node = iv_yaml_at(test, keys[i]);
        iv_buf_char(out, '\n');
        iv_buf_str(out, node == NULL ? IV_STR("") : iv_yaml_source(node));
    }
}

iv_rc iv_trial_choose(struct iv_trial *trial, const struct iv_rule *rule, const struct iv_yaml_node *test,
                      struct iv_problems *problems, struct iv_err *err)
{
    if (iv_yaml_at(test, "parameters") == NULL && iv_yaml_at(test, "keys") == NULL) {
        trial->baseline = trial->loaded;
        trial->decoder = trial->its_decoder;
        trial->rule = rule;
        return IV_OK;
    }
    struct iv_buf wanted;
    iv_buf_init(&wanted, MADE_OF_MAX_BYTES);
    describe(&wanted, rule, test);
    bool same = trial->changed != NULL && iv_str_eq(iv_buf_slice(&wanted), iv_buf_slice(&trial->made_of));
    struct iv_rc_s rc = IV_OK;
    if (!same) {
        forget(trial);
        rc = change(trial, rule, test, problems, err);
        iv_buf_str(&trial->made_of, iv_buf_slice(&wanted));
    }
    iv_buf_deinit(&wanted);
    TRY(rc);
    trial->baseline = trial->changed;
    trial->decoder = trial->its_changed;
    trial->rule = iv_baseline_rule(trial->changed, rule->id);
    IV_CHECK(trial->rule != NULL);
    return IV_OK;
}
