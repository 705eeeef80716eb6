/* SPDX-License-Identifier: Apache-2.0 */
#include "app/brief.h"
#include "base/json_write.h"

static void identity(struct iv_json *j, const char *name, const struct iv_sighting *s)
{
    iv_json_open_object(j, name);
    iv_json_str(j, "source", s->source);
    iv_json_str(j, "id", s->id);
    iv_json_close_object(j);
}

void iv_brief(struct iv_buf *out, const struct iv_verdict *verdict, const struct iv_brief_marks *marks)
{
    struct iv_json json = iv_json_to(out);
    struct iv_json *j = &json;
    iv_json_open_object(j, NULL);
    iv_json_str(j, "rule", verdict->rule->id);
    identity(j, "trigger", &verdict->trigger);
    iv_json_time(j, "time", verdict->trigger.time);
    iv_json_open_list(j, "witness");
    for (size_t i = 0; i < verdict->witness_count; i++) {
        identity(j, NULL, &verdict->witnesses[i]);
    }
    iv_json_close_list(j);
    if (marks->verdict != NULL) {
        iv_json_text(j, "verdict", marks->verdict);
    }
    if (verdict->waiver != NULL) {
        iv_json_bool(j, "suppressed", true);
    }
    if (verdict->rule->mode == IV_MODE_OBSERVE) {
        iv_json_text(j, "mode", "observe");
    }
    if (marks->update) {
        iv_json_text(j, "update", "witness");
    }
    if (marks->contradicted) {
        iv_json_bool(j, "contradicted", true);
    }
    iv_json_close_object(j);
}
