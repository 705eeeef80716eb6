/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/approval.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "event/chain.h"
#include "event/keyring.h"
#include "evidence/clock_set.h"
#include "evidence/log.h"
#include "respond/approvers.h"
#include "respond/footing.h"
#include "respond/ladder.h"
#include "respond/moves.h"

#define AT_ONCE 64
#define GIVEN_MOST 256 /* of one execution, that count; a quorum is far below it */
#define TERMS_MAX_BYTES (1u << 20)
#define STATEMENT_MAX_BYTES (256u << 10)
/* A clock that is ahead of ours by no more is no forgery. */
#define AHEAD_MOST (60 * IV_NS_PER_S)

static void write_length(struct iv_json *j, const char *name, iv_ns length)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 64);
    iv_duration_format(&text, iv_instant_of_ns(length));
    iv_json_str(j, name, iv_buf_slice(&text));
}

iv_rc iv_approval_terms(struct iv_buf *out, const struct iv_step *step, struct iv_err *err)
{
    static const char *const on_failure[] = {[IV_ON_FAILURE_STOP] = "stop",
                                             [IV_ON_FAILURE_CONTINUE] = "continue",
                                             [IV_ON_FAILURE_ESCALATE] = "escalate"};
    struct iv_json json = iv_json_to(out);
    struct iv_json *j = &json;
    iv_json_open_object(j, NULL);
    iv_json_int(j, "attempts", step->attempts);
    write_length(j, "timeout", step->timeout);
    iv_json_text(j, "on_failure", on_failure[step->on_failure]);
    if (step->only_escalated) {
        iv_json_text(j, "only", "escalated");
    }
    if (step->expectation.n > 0) {
        iv_json_raw(j, "expect", step->expectation);
        write_length(j, "within", step->within);
    }
    if (step->undoes > 0) {
        iv_json_int(j, "undoes", step->undoes);
        write_length(j, "undo_after", step->undo_after);
    }
    iv_json_close_object(j);
    return iv_buf_check(out, "the terms of a step", err);
}

static iv_rc digest_step(struct iv_digester *digester, const struct iv_step *step, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf terms;
    iv_buf_init(&terms, TERMS_MAX_BYTES);
    TRY(iv_approval_terms(&terms, step, err));
    const struct iv_str parts[] = {step->name, step->kind, step->request, iv_buf_slice(&terms)};
    for (size_t p = 0; p < IV_COUNT(parts); p++) {
        iv_digest_update(digester, parts[p]);
        iv_digest_update(digester, (struct iv_str){"", 1});
    }
    return IV_OK;
}

static iv_rc digest_parameters(struct iv_buf *hex, const struct iv_task *steps, size_t count,
                               struct iv_err *err)
{
    IV_AUTO(iv_digester_freep) struct iv_digester *digester = NULL;
    struct iv_digest digest;
    TRY(iv_digester_new(&digester, err));
    iv_digest_begin(digester, IV_SHA256);
    for (size_t i = 0; i < count; i++) {
        TRY(digest_step(digester, &steps[i].step, err));
    }
    iv_digest_end(digester, &digest);
    iv_hex_encode(hex, (struct iv_str){(const char *)digest.bytes, digest.n});
    return iv_buf_check(hex, "the digest of the parameters", err);
}

iv_rc iv_approval_statement(struct iv_buf *out, const struct iv_approval *approval,
                            const struct iv_task *steps, size_t count, struct iv_err *err)
{
    const struct iv_execution *e = &steps[0].execution;
    IV_AUTO(iv_buf_deinit) struct iv_buf at;
    IV_AUTO(iv_buf_deinit) struct iv_buf parameters;
    iv_buf_init(&at, 64);
    iv_buf_init(&parameters, 128);
    iv_ns_format(&at, approval->at);
    TRY(iv_buf_check(&at, "a time", err));
    TRY(digest_parameters(&parameters, steps, count, err));
    struct iv_val items[] = {
        iv_val_str(IV_STR("at")),         iv_val_str(iv_buf_slice(&at)),
        iv_val_str(IV_STR("decision")),   iv_val_str(approval->approve ? IV_STR("approve") : IV_STR("deny")),
        iv_val_str(IV_STR("execution")),  iv_val_str(e->key),
        iv_val_str(IV_STR("key")),        iv_val_str(approval->key),
        iv_val_str(IV_STR("parameters")), iv_val_str(iv_buf_slice(&parameters)),
        iv_val_str(IV_STR("playbook")),   iv_val_str(e->playbook),
        iv_val_str(IV_STR("reason")),     iv_val_str(approval->reason),
        iv_val_str(IV_STR("role")),       iv_val_str(approval->role),
        iv_val_str(IV_STR("target")),     iv_val_str(e->target),
        iv_val_str(IV_STR("version")),    iv_val_int(IV_APPROVAL_VERSION),
    };
    struct iv_val map = {.kind = IV_KIND_MAP, .n = IV_COUNT(items) / 2, .items = items};
    return iv_jcs_value(out, &map, NULL, err);
}

struct hearing {
    const struct iv_keyring *keyring;
    const struct iv_baseline *baseline; /* in force; NULL: its rules are not looked at */
    const struct iv_approval *approval;
    const struct iv_task *steps; /* of the execution; they hold it too */
    size_t step_count;
    const struct iv_approval *given; /* for the same execution */
    size_t given_count;
    iv_ns now;
    iv_ns ahead; /* the clock counts as so much ahead, for what is signed as for what expires */
};

static iv_rc signature_holds(bool *holds, const struct hearing *h, const struct iv_approval *a,
                             struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf statement;
    iv_buf_init(&statement, STATEMENT_MAX_BYTES);
    TRY(iv_approval_statement(&statement, a, h->steps, h->step_count, err));
    *holds = iv_keyring_verify(h->keyring, a->key, a->role, iv_instant_of_ns(a->at), iv_buf_slice(&statement),
                               a->signature);
    return IV_OK;
}

/* Then, when it was signed, and now: a key that was taken back or has run out since lets nothing pass. */
static bool has_key(const struct hearing *h, const struct iv_approval *a)
{
    unsigned char then[32];
    unsigned char today[32];
    return iv_keyring_key(then, h->keyring, a->key, a->role, iv_instant_of_ns(a->at)) &&
           iv_keyring_key(today, h->keyring, a->key, a->role, iv_instant_of_ns(h->now));
}

/* A key that is bound to a tenant says nothing about another one's affairs. */
static bool speaks_for_it(const struct hearing *h, const struct iv_approval *a)
{
    return iv_keyring_speaks_for(h->keyring, a->key, h->steps[0].execution.tenant);
}

/* An earlier approval that counts. A denial that counts has nothing behind it. What the baseline calls by
 * this id today may be another key than the one that signed. */
static iv_rc still_counts(bool *counts, const struct hearing *h, const struct iv_approval *other,
                          struct iv_err *err)
{
    *counts = other->approve && other->seq != h->approval->seq &&
              iv_str_eq(other->verdict, IV_STR(IV_APPROVAL_COUNTS)) && has_key(h, other) &&
              speaks_for_it(h, other);
    return *counts ? signature_holds(counts, h, other, err) : IV_OK;
}

/* By this signer, whatever the key was called. To deny what one has approved is to take one's word back. */
static iv_rc approved_before(bool *before, const struct hearing *h, struct iv_err *err)
{
    const struct iv_approval *a = h->approval;
    *before = false;
    for (size_t i = 0; a->approve && i < h->given_count && !*before; i++) {
        const struct iv_approval *other = &h->given[i];
        if (iv_str_eq(other->key, a->key) || iv_keyring_same(h->keyring, other->key, a->key)) {
            TRY(still_counts(before, h, other, err));
        }
    }
    return IV_OK;
}

/* What can be said without a look at signatures; NULL: nothing. */
static const char *objection(const struct hearing *h)
{
    const struct iv_approval *a = h->approval;
    const struct iv_execution *e = h->step_count == 0 ? NULL : &h->steps[0].execution;
    iv_ns end = e == NULL ? 0 : iv_ns_add(e->expires, h->ahead);
    return e == NULL                      ? "there is no such execution here"
           : e->state != IV_RUN_WAITING   ? "the execution does not wait (any more)"
           : a->at > end || h->now >= end ? "it came too late"
           : a->at < e->planned || a->at > iv_ns_add(h->now, AHEAD_MOST)
               ? "its time is not between the plan and now"
           : !iv_approvers_have(e->approvers, a->role) ? "the execution does not ask for this role"
           : !has_key(h, a) ? "the baseline has no key of this id and role that was valid then and is now"
           : !speaks_for_it(h, a) ? "the key is bound to another tenant than the finding's"
                                  : NULL;
}

/* NULL: it counts. */
static iv_rc judge(const struct hearing *h, const char **why, struct iv_err *err)
{
    bool holds = false;
    bool before = false;
    *why = objection(h);
    if (*why != NULL) {
        return IV_OK;
    }
    TRY(approved_before(&before, h, err));
    TRY(signature_holds(&holds, h, h->approval, err));
    *why = before   ? "this key has been counted already"
           : !holds ? "the signature is not by this key over this execution and its requests"
                    : NULL;
    return IV_OK;
}

/* What was said and what it was worth, for the monitor's own log. */
static iv_rc enter(struct iv_store *store, const struct iv_approval *a, struct iv_str verdict,
                   struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf document;
    IV_AUTO(iv_buf_deinit) struct iv_buf signature;
    iv_buf_init(&document, STATEMENT_MAX_BYTES);
    iv_buf_init(&signature, STATEMENT_MAX_BYTES);
    iv_base64_encode(&signature, a->signature);
    TRY(iv_buf_check(&signature, "a signature", err));
    struct iv_json json = iv_json_to(&document);
    iv_json_open_object(&json, NULL);
    iv_json_str(&json, "execution", a->execution);
    iv_json_text(&json, "decision", a->approve ? "approve" : "deny");
    iv_json_str(&json, "role", a->role);
    iv_json_str(&json, "key", a->key);
    iv_json_time(&json, "at", a->at);
    iv_json_str(&json, "reason", a->reason);
    iv_json_str(&json, "signature", iv_buf_slice(&signature));
    iv_json_str(&json, "verdict", verdict);
    iv_json_close_object(&json);
    TRY(iv_buf_check(&document, "the record of an approval", err));
    return iv_store_log(store, IV_LEAF_APPROVAL, a->execution, iv_buf_slice(&document), err);
}

/* This one, and those before it whose keys still are what they were. */
static iv_rc is_approved(bool *out, const struct hearing *h, struct iv_err *err)
{
    const struct iv_execution *e = &h->steps[0].execution;
    struct iv_consents needs = iv_consents_of(e->approvers, e->quorum);
    iv_consents_take(&needs, h->approval->role);
    for (size_t i = 0; i < h->given_count; i++) {
        bool counts = false;
        TRY(still_counts(&counts, h, &h->given[i], err));
        if (counts) {
            iv_consents_take(&needs, h->given[i].role);
        }
    }
    *out = iv_consents_met(&needs);
    return IV_OK;
}

/* What was approved may begin, where anything still calls for it. */
static iv_rc let_pass(struct iv_store *store, const struct hearing *h, struct iv_execution *e,
                      struct iv_arena *arena, struct iv_err *err)
{
    const struct iv_approval *a = h->approval;
    struct iv_footing_word word;
    TRY(iv_footing_ask(&word, store, e, h->baseline, arena, err));
    if (word.why != NULL) {
        return iv_move_refused(store, e, iv_str_of(word.why), h->now, arena, err);
    }
    struct iv_str cause =
        iv_arena_printf(arena, "approved by '" IV_STR_FMT "' (" IV_STR_FMT ")%s", IV_STR_ARG(a->key),
                        IV_STR_ARG(a->role), e->quorum > 1 ? " and those before" : "");
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    return iv_move_approved(store, e, cause, h->now, arena, err);
}

static iv_rc decide(struct iv_store *store, const struct hearing *h, struct iv_arena *arena,
                    struct iv_err *err)
{
    struct iv_execution execution = h->steps[0].execution;
    const struct iv_approval *a = h->approval;
    if (!a->approve) {
        struct iv_str cause = iv_arena_printf(
            arena, "denied by '" IV_STR_FMT "' (" IV_STR_FMT ")%s" IV_STR_FMT, IV_STR_ARG(a->key),
            IV_STR_ARG(a->role), a->reason.n == 0 ? "" : ": ", IV_STR_ARG(a->reason));
        ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
        return iv_move_refused(store, &execution, cause, h->now, arena, err);
    }
    bool approved = false;
    TRY(is_approved(&approved, h, err));
    return approved ? let_pass(store, h, &execution, arena, err) : IV_OK;
}

static iv_rc settle_one(struct iv_store *store, const struct iv_keyring *keyring,
                        const struct iv_baseline *baseline, const struct iv_approval *approval, iv_ns now,
                        struct iv_arena *arena, struct iv_err *err)
{
    struct hearing h = {.keyring = keyring,
                        .baseline = baseline,
                        .approval = approval,
                        .now = now,
                        .ahead = iv_store_clock_is_ahead(store)};
    struct iv_task *steps = NULL;
    struct iv_approval *given = NULL;
    const char *why = NULL;
    TRY(iv_store_tasks(store, &steps, &h.step_count, IV_TASKS_OF, approval->execution, 0,
                       IV_EXECUTION_STEPS_MAX, arena, err));
    TRY(iv_store_counted_approvals(store, &given, &h.given_count, approval->execution, GIVEN_MOST, arena,
                                   err));
    h.steps = steps;
    h.given = given;
    TRY(judge(&h, &why, err));
    struct iv_str verdict = why == NULL ? IV_STR(IV_APPROVAL_COUNTS) : iv_str_of(why);
    TRY(iv_store_judge_approval(store, approval->seq, verdict, err));
    TRY(enter(store, approval, verdict, err));
    return why == NULL ? decide(store, &h, arena, err) : IV_OK;
}

iv_rc iv_approvals_settle(bool *any, struct iv_store *store, const struct iv_keyring *keyring,
                          const struct iv_baseline *baseline, iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct iv_approval *pending = NULL;
    size_t count = 0;
    TRY(iv_store_pending_approvals(store, &pending, &count, AT_ONCE, &arena, err));
    for (size_t i = 0; i < count; i++) {
        TRY(settle_one(store, keyring, baseline, &pending[i], now, &arena, err));
    }
    *any = *any || count > 0;
    return IV_OK;
}
