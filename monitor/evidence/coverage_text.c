/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/coverage_text.h"

#include "base/crowd.h"
#include "base/encode.h"
#include "evidence/coverage.h"

static void losses(struct iv_json *j, const struct iv_loss *all, size_t count)
{
    iv_json_open_list(j, "losses");
    for (size_t i = 0; i < count; i++) {
        iv_json_open_object(j, NULL);
        iv_json_text(j, "cause", iv_loss_name(all[i].cause));
        iv_json_time(j, "from", all[i].from);
        iv_json_time(j, "until", all[i].until);
        iv_json_int(j, "records", all[i].records > INT64_MAX ? INT64_MAX : (int64_t)all[i].records);
        iv_json_close_object(j);
    }
    iv_json_close_list(j);
}

void iv_cover_text(struct iv_buf *out, struct iv_str topic, const struct iv_cover *cover)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "topic", topic);
    iv_json_int(&j, "partition", cover->partition);
    iv_json_text(&j, "stream", iv_stream_name(cover->stream));
    iv_json_text(&j, "state", iv_cover_state_name(cover->state));
    iv_json_time(&j, "first", cover->first);
    iv_json_time(&j, "reach", cover->reach);
    losses(&j, cover->losses, cover->loss_count);
    iv_json_close_object(&j);
}

void iv_cover_standing_text(struct iv_buf *out, const struct iv_cover *cover)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_text(&j, "state", iv_cover_state_name(cover->state));
    losses(&j, cover->losses, cover->loss_count);
    iv_json_close_object(&j);
}

void iv_rule_loss_text(struct iv_buf *out, struct iv_str rule, const struct iv_loss *loss)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "rule", rule);
    losses(&j, loss, 1);
    iv_json_close_object(&j);
}

struct iv_json iv_population_text_open(struct iv_buf *out, struct iv_str topic, int32_t partition, iv_ns hour)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "topic", topic);
    iv_json_int(&j, "partition", partition);
    if (hour != IV_NS_MIN) {
        iv_json_time(&j, "hour", hour);
    }
    iv_json_open_list(&j, "populations");
    return j;
}

void iv_population_text_row(struct iv_json *j, struct iv_str rule, iv_ns since, int64_t count)
{
    iv_json_open_object(j, NULL);
    iv_json_str(j, "rule", rule);
    iv_json_time(j, "since", since);
    iv_json_int(j, "count", count);
    iv_json_close_object(j);
}

void iv_population_text_close(struct iv_json *j)
{
    iv_json_close_list(j);
    iv_json_close_object(j);
}

struct iv_json iv_alive_text_open(struct iv_buf *out, struct iv_str topic, int32_t partition)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "topic", topic);
    iv_json_int(&j, "partition", partition);
    iv_json_open_list(&j, "alive");
    return j;
}

void iv_alive_text_crowd(struct iv_json *j, struct iv_str kind, iv_ns as_of, struct iv_str crowd)
{
    char text[(IV_CROWD_BYTES + 2) / 3 * 4 + 1];
    struct iv_buf base64;
    iv_buf_init_lent(&base64, text, sizeof text, sizeof text);
    iv_base64_encode(&base64, crowd);
    iv_json_open_object(j, NULL);
    iv_json_str(j, "kind", kind);
    iv_json_time(j, "as_of", as_of);
    iv_json_str(j, "crowd", iv_buf_slice(&base64));
    iv_json_close_object(j);
}

void iv_alive_text_close(struct iv_json *j)
{
    iv_json_close_list(j);
    iv_json_close_object(j);
}
