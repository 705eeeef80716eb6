/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal.h"

#include "base/clock.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "evidence/coverage.h"
#include "evidence/journal.h"
#include "evidence/log.h"

#include <stdio.h>

/* Files of a baseline are 4 MiB at most, each; escapes make them longer. */
#define BASELINE_MAX_BYTES ((size_t)256 << 20)
#define ENTERED IV_STR("log.baseline")
#define IN_FORCE IV_STR("baseline.digest")
#define ITSELF IV_STR("monitor")

static void write_file(void *ctx, struct iv_str path, struct iv_str text)
{
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_str(j, "path", path);
    iv_json_str(j, "text", text);
    iv_json_close_object(j);
}

static iv_rc enter_baseline(struct iv_store *store, const struct iv_baseline *baseline, struct iv_err *err)
{
    struct iv_str digest = iv_str_of(baseline->digest_hex);
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, BASELINE_MAX_BYTES);
    struct iv_json j = iv_json_to(&text);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "name", baseline->name);
    iv_json_str(&j, "version", baseline->version);
    iv_json_str(&j, "digest", digest);
    iv_json_open_list(&j, "files");
    iv_baseline_files(baseline, write_file, &j);
    iv_json_close_list(&j);
    iv_json_close_object(&j);
    TRY(iv_buf_check(&text, "a baseline's files", err));
    TRY(iv_store_log(store, IV_LEAF_BASELINE, digest, iv_buf_slice(&text), err));
    return iv_store_put_fact(store, ENTERED, digest, err);
}

iv_rc iv_journal_baseline(struct iv_store *store, const struct iv_baseline *baseline, struct iv_err *err)
{
    char room[128];
    struct iv_str digest = iv_str_of(baseline->digest_hex);
    IV_AUTO(iv_buf_deinit) struct iv_buf entered;
    iv_buf_init_lent(&entered, room, sizeof room, 4096);
    struct iv_rc_s rc = iv_store_fact(store, &entered, ENTERED, err);
    if (rc.code == IV_E_ABSENT || (iv_ok(rc) && !iv_str_eq(iv_buf_slice(&entered), digest))) {
        rc = enter_baseline(store, baseline, err);
    }
    return iv_ok(rc) ? iv_store_put_fact(store, IN_FORCE, digest, err) : rc;
}

static iv_rc put_row(struct iv_store *store, enum iv_journal_kind kind, struct iv_str about,
                     struct iv_str cause, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    const struct iv_journal_row row = {.at = iv_wall(&clock), .about = about, .cause = cause};
    return iv_store_put_journal(store, kind, &row, err);
}

/* A run that did not end in order was killed, or lost its machine: what it did last is not on record. */
static iv_rc put_start(struct iv_store *store, struct iv_err *err)
{
    bool known = false;
    bool ended = false;
    TRY(iv_store_journal_ended(store, &known, &ended, err));
    return put_row(store, IV_JOURNAL_STARTED, IV_STR(""),
                   !known  ? IV_STR("the first run on record")
                   : ended ? IV_STR("the run before it ended in order")
                           : IV_STR("the run before it did not end in order"),
                   err);
}

/* A start brings another baseline as a reload does. */
static iv_rc put_change(struct iv_store *store, struct iv_str digest, struct iv_err *err)
{
    char room[128];
    char cause[192];
    IV_AUTO(iv_buf_deinit) struct iv_buf before;
    iv_buf_init_lent(&before, room, sizeof room, 4096);
    struct iv_rc_s rc = iv_store_fact(store, &before, IN_FORCE, err);
    if (rc.code == IV_E_ABSENT || (iv_ok(rc) && iv_str_eq(iv_buf_slice(&before), digest))) {
        return IV_OK;
    }
    TRY(rc);
    (void)snprintf(cause, sizeof cause, "with a start; before it " IV_STR_FMT " was in force",
                   IV_STR_ARG(iv_buf_slice(&before)));
    return put_row(store, IV_JOURNAL_RELOADED, digest, iv_str_of(cause), err);
}

static iv_rc enter_start(struct iv_store *store, const struct iv_baseline *baseline, struct iv_str roles,
                         struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 4096);
    struct iv_json j = iv_json_to(&text);
    iv_json_open_object(&j, NULL);
    iv_json_text(&j, "version", IV_VERSION);
    iv_json_text(&j, "baseline", baseline->digest_hex);
    iv_json_str(&j, "roles", roles);
    iv_json_close_object(&j);
    TRY(iv_buf_check(&text, "the start of the monitor", err));
    TRY(iv_store_log(store, IV_LEAF_START, ITSELF, iv_buf_slice(&text), err));
    TRY(put_start(store, err));
    TRY(put_change(store, iv_str_of(baseline->digest_hex), err));
    return iv_journal_baseline(store, baseline, err);
}

static iv_rc finish(struct iv_store *store, struct iv_rc_s rc, struct iv_err *err)
{
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    return iv_store_commit(store, err);
}

iv_rc iv_journal_start(struct iv_store *store, const struct iv_baseline *baseline, struct iv_str roles,
                       struct iv_err *err)
{
    TRY(iv_store_begin(store, err));
    return finish(store, enter_start(store, baseline, roles, err), err);
}

iv_rc iv_journal_reload(struct iv_store *store, const struct iv_baseline *baseline, struct iv_err *err)
{
    TRY(iv_store_begin(store, err));
    return finish(store, iv_journal_baseline(store, baseline, err), err);
}

static iv_rc enter_cover(void *ctx, struct iv_str topic, const struct iv_cover *cover, struct iv_err *err)
{
    return iv_store_log_cover(ctx, topic, cover, true, err);
}

static iv_rc enter_stop(struct iv_store *store, struct iv_reader *reader, struct iv_str cause,
                        struct iv_err *err)
{
    static const struct iv_str text = IV_STR_INIT("{\"version\":\"" IV_VERSION "\"}");
    TRY(iv_reader_covers(reader, enter_cover, store, err));
    TRY(iv_store_log(store, IV_LEAF_STOP, ITSELF, text, err));
    TRY(put_row(store, IV_JOURNAL_STOPPED, IV_STR(""), cause, err));
    iv_store_seal_log(store);
    return IV_OK;
}

iv_rc iv_journal_stop(struct iv_store *store, struct iv_reader *reader, struct iv_str cause,
                      struct iv_err *err)
{
    TRY(iv_store_begin(store, err));
    return finish(store, enter_stop(store, reader, cause, err), err);
}
