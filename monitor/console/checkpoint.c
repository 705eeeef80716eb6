/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/log/checkpoint: what the monitor last signed of its own log, for whoever keeps it elsewhere. */
#include "console/answer.h"
#include "console/readers.h"
#include "evidence/log.h"

void iv_answer_checkpoint(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err = {.text = ""};
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = iv_reader_checkpoint(reader, &reply->body, &err);
    iv_readers_return(request->console->readers, reader);
    if (rc.code == IV_E_ABSENT) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "nothing was signed yet: signing_key_file names the key");
        return;
    }
    if (!iv_ok(rc)) {
        iv_reply_failure(reply, &err);
        return;
    }
    reply->status = MHD_HTTP_OK;
    reply->type = "text/plain; charset=utf-8";
    reply->cache_control = "private, no-cache";
    reply->tagged = true;
}
