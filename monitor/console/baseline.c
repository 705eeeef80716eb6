/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/baseline: the rules in force, for people to read beside a finding. */
#include "base/guard.h"
#include "base/json_write.h"
#include "console/answer.h"

#include <stdio.h>

enum { BASELINE_BYTES_MAX = 16 << 20 };

static void write_rule(struct iv_json *j, const struct iv_console_rule *rule)
{
    iv_json_open_object(j, NULL);
    iv_json_str(j, "id", rule->id);
    iv_json_str(j, "title", rule->title);
    iv_json_str(j, "description", rule->description);
    iv_json_str(j, "severity", rule->severity);
    iv_json_str(j, "mode", rule->mode);
    iv_json_str(j, "pack", rule->pack);
    iv_json_open_list(j, "criteria");
    for (size_t i = 0; i < rule->criteria_count; i++) {
        iv_json_str(j, NULL, rule->criteria[i]);
    }
    iv_json_close_list(j);
    if (rule->remediate.n > 0) {
        iv_json_str(j, "remediate", rule->remediate);
    } else {
        iv_json_null(j, "remediate");
    }
    iv_json_str(j, "source", rule->source);
    iv_json_close_object(j);
}

static void write_baseline(struct iv_buf *out, const struct iv_console_baseline *baseline)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "name", baseline->name);
    iv_json_str(&j, "version", baseline->version);
    iv_json_str(&j, "digest", baseline->digest);
    iv_json_open_list(&j, "rules");
    for (size_t i = 0; i < baseline->rule_count; i++) {
        write_rule(&j, &baseline->rules[i]);
    }
    iv_json_close_list(&j);
    iv_json_close_object(&j);
}

iv_rc iv_console_baseline(struct iv_console *console, const struct iv_console_baseline *baseline,
                          struct iv_err *err)
{
    struct iv_buf text;
    struct iv_coverage_rules *rules = NULL;
    TRY(iv_coverage_rules_new(&rules, baseline, err));
    iv_buf_init(&text, BASELINE_BYTES_MAX);
    write_baseline(&text, baseline);
    if (iv_buf_failed(&text)) {
        iv_buf_deinit(&text);
        iv_coverage_rules_unref(rules);
        return iv_err_set(err, IV_E_LIMIT, "the baseline '" IV_STR_FMT "' is larger than the console shows",
                          IV_STR_ARG(baseline->name));
    }
    (void)pthread_mutex_lock(&console->lock);
    struct iv_buf old = console->baseline;
    console->baseline = text;
    struct iv_coverage_rules *old_rules = console->coverage_rules;
    console->coverage_rules = rules;
    (void)snprintf(console->digest, sizeof console->digest, IV_STR_FMT, IV_STR_ARG(baseline->digest));
    (void)pthread_mutex_unlock(&console->lock);
    iv_buf_deinit(&old);
    iv_coverage_rules_unref(old_rules);
    return IV_OK;
}

void iv_console_reload(struct iv_console *console, const struct iv_console_reload *reload)
{
    (void)pthread_mutex_lock(&console->lock);
    console->reloaded = reload->time;
    console->reload_accepted = reload->accepted;
    (void)snprintf(console->reload_reason, sizeof console->reload_reason, IV_STR_FMT,
                   IV_STR_ARG(reload->reason));
    (void)pthread_mutex_unlock(&console->lock);
}

void iv_answer_baseline(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_console *console = request->console;
    (void)pthread_mutex_lock(&console->lock);
    iv_buf_str(&reply->body, iv_buf_slice(&console->baseline));
    (void)pthread_mutex_unlock(&console->lock);
    if (reply->body.n == 0) {
        iv_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "no baseline is in force yet");
        return;
    }
    reply->status = MHD_HTTP_OK;
    reply->type = "application/json";
    reply->cache_control = "private, no-cache";
    reply->tagged = true;
}
