/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/halt.h"

#include "base/buf.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "evidence/journal.h"
#include "evidence/log.h"
#include "evidence/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FACT "respond.halt"
#define FACT_MAX_BYTES (64u << 10)

/* The fact is "SINCE\nBY\nREASON" while it holds, and empty when it was lifted. */
static iv_rc read_fact(struct iv_buf *out, struct iv_store *store, struct iv_err *err)
{
    struct iv_rc_s rc = iv_store_fact(store, out, IV_STR(FACT), err);
    return rc.code == IV_E_ABSENT ? IV_OK : rc;
}

static iv_rc record(struct iv_store *store, bool holds, struct iv_str by, struct iv_str reason, iv_ns now,
                    struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf document;
    iv_buf_init(&document, FACT_MAX_BYTES);
    struct iv_json json = iv_json_to(&document);
    iv_json_open_object(&json, NULL);
    iv_json_text(&json, "state", holds ? "paused" : "resumed");
    iv_json_time(&json, "time", now);
    iv_json_str(&json, "by", by);
    iv_json_str(&json, "reason", reason);
    iv_json_close_object(&json);
    TRY(iv_buf_check(&document, "the record of a pause", err));
    return iv_store_log(store, IV_LEAF_CONTROL, IV_STR("respond"), iv_buf_slice(&document), err);
}

static bool is_line(struct iv_str s)
{
    return s.n == 0 || memchr(s.p, '\n', s.n) == NULL;
}

iv_rc iv_halt_put(struct iv_store *store, bool holds, struct iv_str by, struct iv_str reason, iv_ns now,
                  struct iv_err *err)
{
    ENSURE(is_line(by) && is_line(reason), err, IV_E_REFUSED, "a name and a reason are one line each");
    IV_AUTO(iv_buf_deinit) struct iv_buf fact;
    iv_buf_init(&fact, FACT_MAX_BYTES);
    iv_buf_text(&fact, "");
    if (holds) {
        iv_buf_printf(&fact, "%lld\n" IV_STR_FMT "\n" IV_STR_FMT, (long long)now, IV_STR_ARG(by),
                      IV_STR_ARG(reason));
    }
    TRY(iv_buf_check(&fact, "the record of a pause", err));
    TRY(iv_store_put_fact(store, IV_STR(FACT), iv_buf_slice(&fact), err));
    TRY(record(store, holds, by, reason, now, err));
    const struct iv_journal_row row = {.at = now, .about = by, .cause = reason};
    return iv_store_put_journal(store, holds ? IV_JOURNAL_PAUSED : IV_JOURNAL_RESUMED, &row, err);
}

bool iv_halt_by_file(struct iv_str path)
{
    struct stat info;
    /* Whatever the reason is that a file cannot be looked at, it is not that there is none. */
    return path.p != NULL && (stat(path.p, &info) == 0 || errno != ENOENT);
}

iv_rc iv_halt_holds(bool *out, struct iv_store *store, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf fact;
    iv_buf_init(&fact, FACT_MAX_BYTES);
    TRY(read_fact(&fact, store, err));
    *out = fact.n > 0;
    return IV_OK;
}

static struct iv_str next_line(struct iv_str *rest)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    struct iv_str line = {rest->p, end == NULL ? rest->n : (size_t)(end - rest->p)};
    size_t used = line.n + (end == NULL ? 0 : 1);
    *rest = (struct iv_str){rest->p + used, rest->n - used};
    return line;
}

static iv_rc parse(struct iv_halt *out, const struct iv_buf *fact, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_str rest = iv_arena_str(arena, iv_buf_slice(fact));
    ENSURE(fact->n == 0 || rest.p != NULL, err, IV_E_NOMEM, "no memory left to read the store");
    *out = (struct iv_halt){.holds = fact->n > 0};
    struct iv_str since = next_line(&rest);
    out->since = since.n == 0 ? 0 : strtoll(since.p, NULL, 10);
    out->by = next_line(&rest);
    out->reason = next_line(&rest);
    return IV_OK;
}

iv_rc iv_halt_get(struct iv_halt *out, struct iv_store *store, struct iv_arena *arena, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf fact;
    iv_buf_init(&fact, FACT_MAX_BYTES);
    TRY(read_fact(&fact, store, err));
    return parse(out, &fact, arena, err);
}

iv_rc iv_halt_read(struct iv_halt *out, struct iv_reader *reader, struct iv_arena *arena, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf fact;
    iv_buf_init(&fact, FACT_MAX_BYTES);
    struct iv_rc_s rc = iv_reader_fact(reader, &fact, IV_STR(FACT), err);
    if (rc.code != IV_E_ABSENT) {
        TRY(rc);
    }
    return parse(out, &fact, arena, err);
}
