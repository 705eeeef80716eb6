/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/respond: whether actions are called at all. */
#include "console/respond.h"

#include "base/clock.h"
#include "base/guard.h"
#include "console/answer.h"
#include "console/body.h"
#include "console/change.h"
#include "console/live.h"
#include "console/page.h"
#include "console/readers.h"
#include "console/show.h"
#include "respond/halt.h"

enum { REASON_BYTES_MAX = 512 };

static void show_halt(struct iv_json *j, const struct iv_halt *halt)
{
    iv_json_open_object(j, NULL);
    iv_json_bool(j, "paused", halt->holds);
    iv_show_optional(j, "by", halt->by);
    iv_show_time(j, "at", halt->since);
    iv_show_optional(j, "why", halt->reason);
    iv_json_close_object(j);
}

/* The file does the same as somebody's word, which says more where there are both. */
static iv_rc look_at_file(struct iv_halt *halt, struct iv_str file, struct iv_arena *memory,
                          struct iv_err *err)
{
    if (halt->holds || !iv_halt_by_file(file)) {
        return IV_OK;
    }
    *halt = (struct iv_halt){.holds = true,
                             .reason = iv_arena_printf(memory, "pause file " IV_STR_FMT, IV_STR_ARG(file))};
    ENSURE(halt->reason.p != NULL, err, IV_E_NOMEM, "cannot allocate why nothing is called");
    return IV_OK;
}

iv_rc iv_respond_write(struct iv_buf *out, struct iv_console *console, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena memory;
    struct iv_halt halt;
    struct iv_json j = iv_json_to(out);
    iv_arena_init(&memory, 0);
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = iv_halt_read(&halt, reader, &memory, err);
    iv_readers_return(console->readers, reader);
    TRY(rc);
    TRY(look_at_file(&halt, iv_str_of(console->pause_file), &memory, err));
    show_halt(&j, &halt);
    return IV_OK;
}

void iv_answer_respond(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err = {.text = ""};
    iv_page_reply(reply, iv_respond_write(&reply->body, request->console, &err), &err);
}

struct asked {
    bool paused;
    struct iv_str why;
    struct iv_str who;
};

static iv_rc put(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct asked *a = ctx;
    struct iv_clock clock = iv_clock_system();
    return iv_halt_put(store, a->paused, a->who, a->why, iv_wall(&clock), err);
}

void iv_answer_halt(struct iv_reply *reply, struct iv_request *request)
{
    struct asked asked = {.why = IV_STR(""), .who = iv_str_of(request->who.name)};
    struct iv_err err = {.text = ""};
    const struct iv_body_member members[] = {
        {.name = "paused", .flag = &asked.paused, .required = true},
        {.name = "why", .text = &asked.why, .bytes_max = REASON_BYTES_MAX},
    };
    if (!iv_body_read(request, reply, members, IV_COUNT(members))) {
        return;
    }
    if (asked.why.n > 0 && memchr(asked.why.p, '\n', asked.why.n) != NULL) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "why must be one line");
        return;
    }
    const struct iv_change change = {.what = asked.paused ? "respond.pause" : "respond.resume",
                                     .object = IV_STR("respond"),
                                     .detail = asked.why,
                                     .make = put,
                                     .ctx = &asked};
    if (!iv_page_refused(reply, iv_change_make(request, &change, &err), &err)) {
        iv_pulse_hurry(request->console);
        iv_page_done(reply, iv_respond_write(&reply->body, request->console, &err), &err);
    }
}
