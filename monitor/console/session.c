/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/session: who is asking, and what he may. */
#include "base/json_write.h"
#include "console/answer.h"

static void write_who(struct iv_json *j, const struct iv_who *who)
{
    iv_json_text(j, "name", who->name);
    iv_json_text(j, "via", iv_via_name(who->via));
    iv_json_open_list(j, "roles");
    for (unsigned i = 0; i < IV_ROLES; i++) {
        if ((who->roles & 1u << i) != 0) {
            iv_json_text(j, NULL, iv_role_name((enum iv_role)i));
        }
    }
    iv_json_close_list(j);
    iv_json_open_list(j, "permissions");
    for (unsigned i = IV_NEED_GUEST + 1; i < IV_NEEDS; i++) {
        if ((who->permissions & 1u << i) != 0) {
            iv_json_text(j, NULL, iv_permission_name((enum iv_need)i));
        }
    }
    iv_json_close_list(j);
}

void iv_answer_session(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_json j = iv_json_to(&reply->body);
    iv_json_open_object(&j, NULL);
    write_who(&j, &request->who);
    iv_json_null(&j, "csrf");
    iv_json_null(&j, "expires");
    iv_json_close_object(&j);
    reply->status = MHD_HTTP_OK;
    reply->type = "application/json";
}
