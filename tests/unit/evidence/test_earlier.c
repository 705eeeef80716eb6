/* SPDX-License-Identifier: Apache-2.0 */
/* A store that an earlier program made, with what it wrote: this one opens it, and finds all of it. */
#include "evidence/admitted.h"
#include "evidence/schema.h"
#include "unit/evidence/incident_world.h"

#include <criterion/new/assert.h>
#include <sqlite3.h>
#include <string.h>

/* Findings 1 and 2 are of another process, 3 is its own; both executions were begun, the second one by
 * another responder. */
static const char rows[] =
    "INSERT INTO findings (uid, kind, rule, title, severity, mode, suppressed, criteria, tenant, agent,"
    " trigger_source, trigger_id, trigger_type, time, detected, witnesses, ocsf, told)"
    " SELECT printf('%064d', number), kind, 'TOK-002', 'A token was used', 4, 0, 0, 'CC6.1', 'acme', 'a', '',"
    " 'event-' || number, 'token.used', time, time, 1, '{}', told FROM"
    " (SELECT 1 AS number, 2 AS kind, 1728043200000000000 AS time, 1 AS told"
    "  UNION ALL SELECT 2, 1, 1728043260000000000, 1 UNION ALL SELECT 3, 2, 1728129600000000000, 0);"
    "INSERT INTO executions (key, finding, playbook, title, target, tactic, rule, severity, tenant, agent,"
    " baseline, state, cause, event_time, planned, started, finished, told, touched_agent)"
    " SELECT 'key-' || told, printf('%064d', 1), 'revoke', '', '', 0, 'TOK-002', 4, 'acme', 'a' || told, '',"
    " 'running', '', 1, 1, 1000, 0, told, 'a' || told FROM (SELECT 0 AS told UNION ALL SELECT 1);"
    "INSERT INTO log (leaf, time, entry, roots) VALUES"
    " (0, 1, '{\"kind\":\"baseline\",\"key\":\"d1\"}', zeroblob(32)),"
    " (1, 2, '{\"kind\":\"finding\",\"key\":\"d1\"}', zeroblob(64));"
    "INSERT INTO log_documents (leaf, document) VALUES"
    " (0, '{\"files\":[{\"path\":\"a.yaml\",\"text\":\"id: TOK-002\"},{\"path\":\"b.yaml\",\"text\":\"id: "
    "X\"}]}');";

/* With the schema as it was before the migration of that number. */
static void make_earlier(const char *path, const char *before)
{
    sqlite3 *db = NULL;
    char text[96];
    size_t version = 0;
    cr_assert(sqlite3_open(path, &db) == SQLITE_OK);
    while (version < iv_migrations_count && strstr(iv_migrations[version].path, before) == NULL) {
        cr_assert(sqlite3_exec(db, iv_migrations[version].text, NULL, NULL, NULL) == SQLITE_OK, "%s: %s",
                  iv_migrations[version].path, sqlite3_errmsg(db));
        version++;
    }
    cr_assert(version < iv_migrations_count, "there is no migration %s", before);
    (void)snprintf(text, sizeof text, "PRAGMA application_id = %d; PRAGMA user_version = %zu",
                   IV_STORE_APPLICATION_ID, version);
    cr_assert(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
    cr_assert(sqlite3_exec(db, rows, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

static void world_of_earlier(struct world *w)
{
    struct iv_err err = {.text = ""};
    *w = (struct world){.dir = scratch_make()};
    make_earlier(scratch_file(&w->dir, "s.db").p, "0035-");
    cr_assert(iv_ok(iv_store_open(&w->store, scratch_file(&w->dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_reader_open(&w->reader, scratch_file(&w->dir, "s.db"), &err)), "%s", err.text);
}

static enum iv_put take(struct world *w, unsigned number, enum iv_verdict_kind kind)
{
    struct iv_err err = {.text = ""};
    char uid[IV_UID_HEX + 1];
    enum iv_put how = IV_PUT_UPDATED;
    (void)snprintf(uid, sizeof uid, "%064u", number);
    const struct iv_finding f = {.uid = iv_str_of(uid), .kind = kind, .witnesses = 1, .told = true};
    cr_assert(iv_ok(iv_store_begin(w->store, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_take_finding(w->store, &how, &f, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &err)), "%s", err.text);
    return how;
}

Test(earlier, what_was_answered_is_not_answered_again)
{
    IV_AUTO(world_deinit) struct world w;
    world_of_earlier(&w);
    cr_expect(eq(int, take(&w, 1, IV_VIOLATED), IV_PUT_SAME));
    cr_expect(eq(int, take(&w, 2, IV_INCONCLUSIVE), IV_PUT_SAME));
    cr_expect(eq(int, take(&w, 2, IV_VIOLATED), IV_PUT_NEW), "it was undecided until now");
    cr_expect(eq(int, take(&w, 3, IV_VIOLATED), IV_PUT_NEW), "that one was its own: nobody told it");
}

Test(earlier, what_was_begun_counts_another_responders_included)
{
    IV_AUTO(world_deinit) struct world w;
    world_of_earlier(&w);
    struct iv_err err = {.text = ""};
    const struct iv_execution asking = {.playbook = IV_STR("revoke"), .touched = {.agent = IV_STR("a9")}};
    for (enum iv_touch touch = IV_TOUCH_ANY; touch <= IV_TOUCH_AGENT; touch++) {
        for (int64_t most = 2; most <= 3; most++) {
            const struct iv_counting counting = {IV_MEASURE_BEGUN, touch, 900, 1500, most};
            bool enough = false;
            cr_assert(iv_ok(iv_store_begin(w.store, &err)));
            cr_assert(iv_ok(iv_store_enough(w.store, &enough, &asking, &counting, &err)), "%s", err.text);
            cr_assert(iv_ok(iv_store_commit(w.store, &err)));
            cr_expect(eq(int, enough, most == 2), "touch %d, most %lld", (int)touch, (long long)most);
        }
    }
}

static bool see_file(void *ctx, struct iv_str path, struct iv_str text)
{
    size_t *seen = ctx;
    cr_expect(iv_str_eq(path, IV_STR("a.yaml")));
    cr_expect(iv_str_eq(text, IV_STR("id: TOK-002")));
    (*seen)++;
    return true;
}

Test(earlier, the_log_has_its_baselines_by_digest)
{
    IV_AUTO(world_deinit) struct world w;
    world_of_earlier(&w);
    struct iv_err err = {.text = ""};
    size_t seen = 0;
    struct iv_rc_s rc =
        iv_reader_baseline_files(w.reader, IV_STR("d1"), IV_STR("TOK-002"), see_file, &seen, &err);
    cr_assert(iv_ok(rc), "%s", err.text);
    cr_expect(eq(sz, seen, 1));
}

Test(earlier, the_incidents_of_a_period_are_there)
{
    IV_AUTO(world_deinit) struct world w;
    world_of_earlier(&w);
    struct listed l;
    sum_up(&w);
    cr_expect_str_eq(incidents(&w, &l, (struct iv_finding_filter){.limit = 9}), "TOK-002/a 2 2 0 new;");
    const struct iv_finding_filter day = {.from = NOON + DAY, .until = NOON + 2 * DAY, .limit = 9};
    cr_expect_str_eq(incidents(&w, &l, day), "TOK-002/a 1 2 0 new;", "what is open is so in all");
    const struct iv_finding_filter after = {.from = NOON + 2 * DAY, .until = NOON + 3 * DAY, .limit = 9};
    cr_expect_str_eq(incidents(&w, &l, after), "");
    put_as(&w, 4, &used);
    cr_expect_str_eq(findings(&w, &l, (struct iv_finding_filter){.limit = 9}), "0001 0003 0004 ");
}
