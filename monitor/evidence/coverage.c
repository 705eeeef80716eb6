/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/coverage.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "evidence/reader_internal.h"
#include "evidence/store_internal.h"

#define TELL_EVERY (10 * IV_NS_PER_S)

static const struct iv_str states[] = {IV_STR_INIT("read"), IV_STR_INIT("blind"), IV_STR_INIT("away")};
static const struct iv_str streams[] = {IV_STR_INIT("ledger"), IV_STR_INIT("telemetry")};

const char *iv_cover_state_name(enum iv_cover_state state)
{
    return states[state].p;
}

bool iv_cover_state_of(enum iv_cover_state *out, struct iv_str name)
{
    for (size_t i = 0; i < IV_COUNT(states); i++) {
        if (iv_str_eq(name, states[i])) {
            *out = (enum iv_cover_state)i;
            return true;
        }
    }
    return false;
}

static iv_rc put_row(struct iv_store *store, struct iv_str topic, const struct iv_cover *cover,
                     struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_COVER_PUT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, topic);
    iv_sql_bind_int(&args, cover->partition);
    iv_sql_bind_str(&args, streams[cover->stream]);
    iv_sql_bind_str(&args, states[cover->state]);
    iv_sql_bind_int(&args, cover->first);
    iv_sql_bind_int(&args, cover->reach);
    return iv_sql_run(&store->sql, stmt, "write coverage", err);
}

static iv_rc drop_losses(struct iv_store *store, struct iv_str topic, int32_t partition, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_LOSSES_DELETE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, topic);
    iv_sql_bind_int(&args, partition);
    return iv_sql_run(&store->sql, stmt, "write coverage", err);
}

/* What a loss is made of, behind whose it is. */
static iv_rc run_loss(struct iv_store *store, struct iv_sql_args *args, const struct iv_loss *loss,
                      struct iv_err *err)
{
    iv_sql_bind_str(args, iv_str_of(iv_loss_name(loss->cause)));
    iv_sql_bind_int(args, loss->from);
    iv_sql_bind_int(args, loss->until);
    iv_sql_bind_int(args, loss->records > INT64_MAX ? INT64_MAX : (int64_t)loss->records);
    return iv_sql_run(&store->sql, args->stmt, "write coverage", err);
}

iv_rc iv_store_put_cover(struct iv_store *store, struct iv_str topic, const struct iv_cover *cover,
                         struct iv_err *err)
{
    IV_CHECK(store->inside);
    TRY(put_row(store, topic, cover, err));
    TRY(drop_losses(store, topic, cover->partition, err));
    for (size_t i = 0; i < cover->loss_count; i++) {
        IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
        TRY(iv_store_statement(store, &stmt, IV_SQL_LOSS_INSERT, err));
        struct iv_sql_args args = iv_sql_args(stmt);
        iv_sql_bind_str(&args, topic);
        iv_sql_bind_int(&args, cover->partition);
        TRY(run_loss(store, &args, &cover->losses[i], err));
    }
    return iv_store_log_cover(store, topic, cover, false, err);
}

iv_rc iv_store_claim_cover(struct iv_store *store, bool *due, struct iv_str topic, int32_t partition,
                           iv_ns now, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    *due = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_COVER_CLAIM, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, topic);
    iv_sql_bind_int(&args, partition);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_int(&args, TELL_EVERY);
    return iv_sql_step(&store->sql, stmt, due, "write coverage", err);
}

static iv_rc knows_better(struct iv_store *store, bool *out, struct iv_str topic, const struct iv_cover *told,
                          struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool known = false;
    enum iv_cover_state state = IV_COVER_AWAY;
    TRY(iv_store_statement(store, &stmt, IV_SQL_COVER_AT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, topic);
    iv_sql_bind_int(&args, told->partition);
    TRY(iv_sql_step(&store->sql, stmt, &known, "read coverage", err));
    *out = !known;
    if (known) {
        struct iv_sql_row row = iv_sql_row(stmt);
        (void)iv_cover_state_of(&state, iv_sql_get_str(&row));
        iv_ns reach = iv_sql_get_int(&row);
        *out = told->reach > reach || (told->reach == reach && told->state < state);
    }
    return IV_OK;
}

iv_rc iv_store_tell_cover(struct iv_store *store, struct iv_str topic, const struct iv_cover *cover,
                          struct iv_err *err)
{
    bool better = false;
    IV_CHECK(store->inside);
    TRY(knows_better(store, &better, topic, cover, err));
    return better ? iv_store_put_cover(store, topic, cover, err) : IV_OK;
}

iv_rc iv_store_covers_away(struct iv_store *store, struct iv_str ledger, struct iv_str telemetry,
                           struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_COVER_AWAY, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, ledger);
    iv_sql_bind_str(&args, telemetry);
    return iv_sql_run(&store->sql, stmt, "write coverage", err);
}

static struct iv_sql_args touching(sqlite3_stmt *stmt, struct iv_str rule, const struct iv_loss *loss)
{
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, rule);
    iv_sql_bind_str(&args, iv_str_of(iv_loss_name(loss->cause)));
    iv_sql_bind_int(&args, loss->until);
    iv_sql_bind_int(&args, loss->from);
    return args;
}

/* What there is and touches the loss goes into it. */
static iv_rc unite(struct iv_store *store, struct iv_str rule, struct iv_loss *loss, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool any = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_RULE_LOSSES_TOUCHING, err));
    (void)touching(stmt, rule, loss);
    TRY(iv_sql_step(&store->sql, stmt, &any, "read coverage", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    if (!any || iv_sql_get_int(&row) == 0) {
        return IV_OK;
    }
    iv_ns from = iv_sql_get_int(&row);
    iv_ns until = iv_sql_get_int(&row);
    loss->from = from < loss->from ? from : loss->from;
    loss->until = until > loss->until ? until : loss->until;
    loss->records += (uint64_t)iv_sql_get_int(&row);
    return IV_OK;
}

static iv_rc drop_touching(struct iv_store *store, struct iv_str rule, const struct iv_loss *loss,
                           struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_RULE_LOSSES_DELETE, err));
    (void)touching(stmt, rule, loss);
    return iv_sql_run(&store->sql, stmt, "write coverage", err);
}

/* counted: the loss has these records beside those that are known; else it may be among them. */
static iv_rc add_rule_loss(struct iv_store *store, struct iv_str rule, const struct iv_loss *loss,
                           bool counted, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    struct iv_loss sum = *loss;
    sum.records = counted ? loss->records : 0;
    TRY(unite(store, rule, &sum, err));
    sum.records = sum.records < loss->records ? loss->records : sum.records;
    TRY(drop_touching(store, rule, &sum, err));
    TRY(iv_store_statement(store, &stmt, IV_SQL_RULE_LOSS_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, rule);
    TRY(run_loss(store, &args, &sum, err));
    return iv_store_log_rule_loss(store, rule, loss, err);
}

iv_rc iv_store_add_rule_loss(struct iv_store *store, struct iv_str rule, const struct iv_loss *loss,
                             struct iv_err *err)
{
    return add_rule_loss(store, rule, loss, true, err);
}

iv_rc iv_store_tell_rule_loss(struct iv_store *store, struct iv_str rule, const struct iv_loss *loss,
                              struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool known = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_RULE_LOSS_KNOWN, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, rule);
    iv_sql_bind_str(&args, iv_str_of(iv_loss_name(loss->cause)));
    iv_sql_bind_int(&args, loss->from);
    iv_sql_bind_int(&args, loss->until);
    iv_sql_bind_int(&args, loss->records > INT64_MAX ? INT64_MAX : (int64_t)loss->records);
    TRY(iv_sql_step(&store->sql, stmt, &known, "read coverage", err));
    return known ? IV_OK : add_rule_loss(store, rule, loss, false, err);
}

/* The place of a word in a list. */
static iv_rc word_of(size_t *out, const struct iv_str *words, size_t count, struct iv_str word,
                     const char *what, struct iv_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(word, words[i])) {
            *out = i;
            return IV_OK;
        }
    }
    return iv_err_set(err, IV_E_STORE, "the store's coverage has the %s '" IV_STR_FMT "', which is none",
                      what, IV_STR_ARG(word));
}

static iv_rc get_loss(struct iv_loss *out, struct iv_sql_row *row, struct iv_str cause, struct iv_err *err)
{
    ENSURE(iv_loss_of(&out->cause, cause), err, IV_E_STORE,
           "the store's coverage has the cause '" IV_STR_FMT "', which is none", IV_STR_ARG(cause));
    out->from = iv_sql_get_int(row);
    out->until = iv_sql_get_int(row);
    out->records = (uint64_t)iv_sql_get_int(row);
    return IV_OK;
}

/* One partition as its rows come in, one for each loss. */
struct gathering {
    iv_cover_visit visit;
    void *ctx;
    char *topic;
    struct iv_cover cover;
    struct iv_loss *losses;
    size_t room;
};

static void gathering_deinit(struct gathering *g)
{
    iv_free(g->topic);
    iv_free(g->losses);
}

static iv_rc tell(struct gathering *g, struct iv_err *err)
{
    g->cover.losses = g->losses;
    return g->topic == NULL ? IV_OK : g->visit(g->ctx, iv_str_of(g->topic), &g->cover, err);
}

static iv_rc add_loss(struct gathering *g, const struct iv_loss *loss, struct iv_err *err)
{
    if (g->cover.loss_count == g->room) {
        size_t room = g->room == 0 ? 16 : g->room * 2;
        struct iv_loss *losses = iv_realloc(g->losses, room * sizeof *losses);
        ENSURE(losses != NULL, err, IV_E_NOMEM, "cannot allocate the losses of a partition");
        g->losses = losses;
        g->room = room;
    }
    g->losses[g->cover.loss_count++] = *loss;
    return IV_OK;
}

static iv_rc begin_cover(struct gathering *g, struct iv_str topic, int32_t partition, struct iv_sql_row *row,
                         struct iv_err *err)
{
    size_t stream = 0;
    size_t state = 0;
    TRY(word_of(&stream, streams, IV_COUNT(streams), iv_sql_get_str(row), "stream", err));
    TRY(word_of(&state, states, IV_COUNT(states), iv_sql_get_str(row), "state", err));
    iv_free(g->topic);
    g->topic = iv_strndup(topic.p, topic.n);
    ENSURE(g->topic != NULL, err, IV_E_NOMEM, "cannot allocate the name of a topic");
    g->cover = (struct iv_cover){
        .stream = (enum iv_stream)stream, .partition = partition, .state = (enum iv_cover_state)state};
    g->cover.first = iv_sql_get_int(row);
    g->cover.reach = iv_sql_get_int(row);
    return IV_OK;
}

static iv_rc take_row(struct gathering *g, struct iv_sql_row *row, struct iv_err *err)
{
    struct iv_str topic = iv_sql_get_str(row);
    int32_t partition = (int32_t)iv_sql_get_int(row);
    bool same = g->topic != NULL && partition == g->cover.partition && iv_str_eq(topic, iv_str_of(g->topic));
    if (same) {
        row->next += 4;
    } else {
        TRY(tell(g, err));
        TRY(begin_cover(g, topic, partition, row, err));
    }
    struct iv_loss loss;
    struct iv_str cause = iv_sql_get_str(row);
    if (cause.n == 0) {
        return IV_OK; /* none */
    }
    TRY(get_loss(&loss, row, cause, err));
    return add_loss(g, &loss, err);
}

iv_rc iv_reader_covers(struct iv_reader *reader, iv_cover_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    IV_AUTO(gathering_deinit) struct gathering g = {.visit = visit, .ctx = ctx};
    TRY(iv_sql_prepare(
        &reader->sql, &stmt,
        "SELECT c.topic, c.partition, c.stream, c.state, c.first, c.reach, l.cause, l.begins, l.ends,"
        " l.records FROM coverage c LEFT JOIN coverage_losses l"
        " ON l.topic = c.topic AND l.partition = c.partition"
        " ORDER BY c.stream, c.topic, c.partition, l.cause, l.begins",
        err));
    for (bool more = true;;) {
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read coverage", err));
        if (!more) {
            return tell(&g, err);
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(take_row(&g, &row, err));
    }
}

iv_rc iv_reader_rule_losses(struct iv_reader *reader, iv_rule_loss_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&reader->sql, &stmt,
                       "SELECT rule, cause, begins, ends, records FROM coverage_rule_losses"
                       " ORDER BY rule, cause, begins",
                       err));
    for (bool more = true;;) {
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read coverage", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_str rule = iv_sql_get_str(&row);
        struct iv_loss loss;
        TRY(get_loss(&loss, &row, iv_sql_get_str(&row), err));
        TRY(visit(ctx, rule, &loss, err));
    }
}
