/* SPDX-License-Identifier: Apache-2.0 */
/* Who may let an execution pass that waits, and what does not count. */
#include "base/guard.h"
#include "event/keyring.h"
#include "event/sign.h"
#include "respond/approval.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define STEPS                                                                                                \
    "- name: one\n  http: {endpoint: hook, path: /x}\n- name: two\n  http: {endpoint: hook, path: /y}\n"
#define BOTH_SIDES "approval: {quorum: [{role: owner}, {role: security, count: 1}], within: 15m}\n"
#define TWO "approval: {quorum: 2, roles: [security, on-call], within: 15m}\n"

static const struct hook_answer fine[] = {HOOK_OK, HOOK_OK};

/* Keys of one baseline: ann and bob of security, cat of on-call, dan of another role, eve's that has run out,
 * fay's, which is ann's under another name, and two of tenants' owners: gil's of the finding's tenant, hal's
 * of another one. */
struct office {
    struct stage s;
    struct hook_server *hook;
    struct iv_keyring *ring;
    struct iv_signer *signers[8];
};
static const char *const ids[] = {"ann", "bob", "cat", "dan", "eve", "fay", "gil", "hal"};
static const char *const roles[] = {"security", "security", "on-call", "janitor",
                                    "security", "on-call",  "owner",   "owner"};
static const char *const tenants[] = {"", "", "", "", "", "", "acme", "globex"};
static const unsigned char seeds[] = {1, 2, 3, 4, 5, 1, 7, 8};
static const struct iv_instant past = {1000, 0};

/* Without the last keys of the list, or with those of security at an end. */
static struct iv_keyring *ring_of(struct iv_signer *const *signers, size_t count,
                                  const struct iv_instant *security_until)
{
    struct iv_keyring *ring = NULL;
    cr_assert(iv_ok(iv_keyring_new(&ring, NULL)));
    for (size_t i = 0; i < count; i++) {
        struct iv_buf pem;
        iv_buf_init(&pem, 4096);
        cr_assert(iv_ok(iv_signer_public_pem(&pem, signers[i], NULL)));
        struct iv_key key = {.id = iv_str_of(ids[i]),
                             .role = iv_str_of(roles[i]),
                             .public_key = iv_buf_slice(&pem),
                             .not_after = i == 4                              ? &past
                                          : strcmp(roles[i], "security") == 0 ? security_until
                                                                              : NULL,
                             .tenant = iv_str_of(tenants[i])};
        cr_assert(iv_ok(iv_keyring_add(ring, &key, NULL)));
        iv_buf_deinit(&pem);
    }
    return ring;
}

/* at: where the endpoint is when it is planned; NULL: where it is when it is called. */
static void office_init_at(struct office *o, const char *keys, const char *at)
{
    stage_init_playbook(&o->s, keys, STEPS);
    o->hook = hook_start(fine, 2);
    for (size_t i = 0; i < IV_COUNT(ids); i++) {
        unsigned char seed[32] = {seeds[i]};
        cr_assert(iv_ok(iv_signer_of_seed(&o->signers[i], seed, NULL)));
    }
    o->ring = ring_of(o->signers, IV_COUNT(ids), NULL);
    o->s.endpoint.url = iv_str_of(at == NULL ? hook_url(o->hook) : at);
    cr_assert(iv_ok(iv_playbooks_locate(o->s.playbooks, &o->s.endpoint, o->s.endpoint.url.n > 0, NULL)));
    stage_find(&o->s);
    o->s.keyring = o->ring;
    stage_respond(&o->s, hook_url(o->hook));
}

static void office_init(struct office *o, const char *keys)
{
    office_init_at(o, keys, NULL);
}

/* Another baseline, as a reload brings it. */
static void office_rekey(struct office *o, struct iv_keyring *ring)
{
    o->s.keyring = ring;
    stage_respond(&o->s, hook_url(o->hook));
    iv_keyring_free(o->ring);
    o->ring = ring;
}

static void office_deinit(struct office *o)
{
    stage_deinit(&o->s);
    hook_stop(o->hook);
    iv_keyring_free(o->ring);
    for (size_t i = 0; i < IV_COUNT(ids); i++) {
        iv_signer_free(o->signers[i]);
    }
}

struct word {
    const char *key;
    const char *role;
    bool deny;
    iv_ns at;         /* added to now */
    bool for_another; /* signed for other requests */
    bool replayed;    /* signed for another execution of the same playbook, target and requests */
    bool by_another;  /* signed with another's key */
};

/* Signs it, puts it into the store and lets the responder hear it. Answers what it was judged to be. */
static const char *say(struct office *o, struct word w)
{
    static char verdict[128];
    struct stage *s = &o->s;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    IV_AUTO(iv_buf_deinit) struct iv_buf statement;
    iv_arena_init(&arena, 0);
    iv_buf_init(&statement, 1 << 16);
    struct iv_task *steps = NULL;
    struct iv_approval *given = NULL;
    size_t count = 0;
    size_t signer = 0;
    unsigned char signature[64];
    while (strcmp(ids[signer], w.key) != 0) {
        signer++;
    }
    struct iv_execution e = stage_execution(s);
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_tasks(s->store, &steps, &count, IV_TASKS_OF, e.key, 0, 16, &arena, NULL)));
    struct iv_approval a = {.execution = e.key,
                            .approve = !w.deny,
                            .role = iv_str_of(w.role),
                            .key = iv_str_of(w.key),
                            .at = s->now + w.at,
                            .reason = IV_STR("seen")};
    if (w.for_another) {
        steps[1].step.request = IV_STR("{\"endpoint\":\"hook\",\"path\":\"/z\"}");
    }
    if (w.replayed) {
        steps[0].execution.key = IV_STR("another execution");
    }
    cr_assert(iv_ok(iv_approval_statement(&statement, &a, steps, count, NULL)));
    iv_sign(signature, o->signers[w.by_another ? (signer + 1) % 3 : signer], iv_buf_slice(&statement));
    a.signature = (struct iv_str){(const char *)signature, sizeof signature};
    cr_assert(iv_ok(iv_store_put_approval(s->store, &a, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
    stage_run(s, true);
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_approvals(s->store, &given, &count, e.key, 99, &arena, NULL)));
    iv_store_rollback(s->store);
    (void)snprintf(verdict, sizeof verdict, IV_STR_FMT, IV_STR_ARG(given[count - 1].verdict));
    return verdict;
}

Test(approval, by_as_many_different_keys_as_are_asked_for_lets_it_pass)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    cr_expect(stage_execution(&o.s).state == IV_RUN_WAITING);
    cr_expect(strstr(stage_execution(&o.s).cause.p, "2 of: security on-call") != NULL);

    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");
    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}),
                     "this key has been counted already");
    cr_expect(stage_execution(&o.s).state == IV_RUN_WAITING && hook_count(o.hook) == 0);
    cr_expect_str_eq(say(&o, (struct word){.key = "cat", .role = "on-call"}), "counts");

    cr_expect(stage_execution(&o.s).state == IV_RUN_DONE && hook_count(o.hook) == 2);
    cr_expect_str_eq(say(&o, (struct word){.key = "bob", .role = "security"}),
                     "the execution does not wait (any more)");
}

Test(approval, of_each_of_several_roles_is_not_had_from_one_of_them_alone)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, BOTH_SIDES);
    cr_expect_str_eq(stage_execution(&o.s).cause.p, "waits for 1 owner and 1 security");

    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");
    cr_expect_str_eq(say(&o, (struct word){.key = "bob", .role = "security"}), "counts");
    cr_expect(stage_execution(&o.s).state == IV_RUN_WAITING && hook_count(o.hook) == 0,
              "two of one side are no word of the other");
    cr_expect_str_eq(say(&o, (struct word){.key = "gil", .role = "owner"}), "counts");

    cr_expect(stage_execution(&o.s).state == IV_RUN_DONE && hook_count(o.hook) == 2);
}

Test(approval, by_a_key_that_is_bound_to_another_tenant_does_not_count)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, BOTH_SIDES);
    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");

    cr_expect_str_eq(say(&o, (struct word){.key = "hal", .role = "owner"}),
                     "the key is bound to another tenant than the finding's");
    cr_expect_str_eq(say(&o, (struct word){.key = "hal", .role = "owner", .deny = true}),
                     "the key is bound to another tenant than the finding's");

    cr_expect(stage_execution(&o.s).state == IV_RUN_WAITING && hook_count(o.hook) == 0);
}

Test(approval, of_one_responder_lets_pass_what_a_guard_held_back)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, "guards: {executions: {day: 0}}\napproval: {roles: janitor}\n");

    cr_expect_str_eq(say(&o, (struct word){.key = "dan", .role = "janitor"}), "counts");

    cr_expect(stage_execution(&o.s).state == IV_RUN_DONE);
}

Test(approval, that_is_not_what_it_should_be_does_not_count_and_says_why)
{
    static const struct {
        struct word word;
        const char *want;
    } rows[] = {
        {{.key = "dan", .role = "janitor"}, "the execution does not ask for this role"},
        {{.key = "dan", .role = "security"},
         "the baseline has no key of this id and role that was valid then and is now"},
        {{.key = "eve", .role = "security"},
         "the baseline has no key of this id and role that was valid then and is now"},
        {{.key = "ann", .role = "security", .for_another = true},
         "the signature is not by this key over this execution and its requests"},
        {{.key = "ann", .role = "security", .replayed = true},
         "the signature is not by this key over this execution and its requests"},
        {{.key = "ann", .role = "security", .by_another = true},
         "the signature is not by this key over this execution and its requests"},
        {{.key = "ann", .role = "security", .at = 16 * 60 * IV_NS_PER_S}, "it came too late"},
        {{.key = "ann", .role = "security", .at = 5 * 60 * IV_NS_PER_S},
         "its time is not between the plan and now"},
        {{.key = "ann", .role = "security", .at = -IV_NS_PER_S}, "its time is not between the plan and now"},
        {{.key = "dan", .role = "janitor", .deny = true}, "the execution does not ask for this role"},
    };
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect_str_eq(say(&o, rows[i].word), rows[i].want, "row %zu", i);
        cr_expect(stage_execution(&o.s).state == IV_RUN_WAITING, "row %zu", i);
    }
    cr_expect(hook_count(o.hook) == 0);
}

Test(approval, of_what_later_evidence_contradicts_refuses_it)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");
    o.s.sample.verdict.kind = IV_CONTRADICTED;
    stage_find(&o.s);

    cr_expect_str_eq(say(&o, (struct word){.key = "cat", .role = "on-call"}), "counts");

    struct iv_execution e = stage_execution(&o.s);
    cr_expect(e.state == IV_RUN_REFUSED && e.admitted == 0 && hook_count(o.hook) == 0);
    cr_expect_str_eq(e.cause.p, "later evidence contradicts the finding");
}

Test(approval, that_comes_when_the_time_is_up_is_too_late_and_the_execution_is_refused)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    o.s.now += 15 * 60 * IV_NS_PER_S;

    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security", .at = -IV_NS_PER_S}),
                     "it came too late");

    cr_expect(stage_execution(&o.s).state == IV_RUN_REFUSED && hook_count(o.hook) == 0);
}

Test(approval, is_heard_whichever_way_the_clock_was_set)
{
    static const int days[][2] = {{8, 0}, {-8, 0}, {-8, -8}, {8, -16}};
    for (size_t i = 0; i < IV_COUNT(days); i++) {
        IV_AUTO(office_deinit) struct office o;
        office_init(&o, TWO);
        stage_run(&o.s, false);
        for (size_t k = 0; k < IV_COUNT(days[i]); k++) {
            iv_ns by = days[i][k] * 86400 * IV_NS_PER_S;
            o.s.now += by;
            o.s.set_by += by;
            stage_run(&o.s, false);
        }
        cr_assert(stage_execution(&o.s).state == IV_RUN_WAITING, "row %zu", i);

        cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts", "row %zu", i);
        cr_expect_str_eq(say(&o, (struct word){.key = "cat", .role = "on-call"}), "counts", "row %zu", i);

        cr_expect(stage_execution(&o.s).state == IV_RUN_DONE, "row %zu", i);
    }
}

Test(approval, denied_once_nothing_is_ever_called)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");

    cr_expect_str_eq(say(&o, (struct word){.key = "cat", .role = "on-call", .deny = true}), "counts");

    struct iv_execution e = stage_execution(&o.s);
    cr_expect(e.state == IV_RUN_REFUSED && strstr(e.cause.p, "denied by 'cat' (on-call): seen") != NULL, "%s",
              e.cause.p);
    cr_expect(stage_step(&o.s, 0).state == IV_STEP_SKIPPED && hook_count(o.hook) == 0);
}

Test(approval, by_one_key_under_two_names_counts_once)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");

    cr_expect_str_eq(say(&o, (struct word){.key = "fay", .role = "on-call"}),
                     "this key has been counted already");

    cr_expect(stage_execution(&o.s).state == IV_RUN_WAITING && hook_count(o.hook) == 0);
}

Test(approval, is_taken_back_by_whoever_gave_it_while_the_execution_waits)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");

    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security", .deny = true}), "counts");

    struct iv_execution e = stage_execution(&o.s);
    cr_expect(e.state == IV_RUN_REFUSED && strstr(e.cause.p, "denied by 'ann' (security)") != NULL, "%s",
              e.cause.p);
    cr_expect(hook_count(o.hook) == 0);
}

Test(approval, by_a_key_that_has_run_out_since_it_signed_does_not_count)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    struct iv_instant soon = iv_instant_of_ns(o.s.now + IV_NS_PER_S);
    office_rekey(&o, ring_of(o.signers, IV_COUNT(ids), &soon));
    o.s.now += 2 * IV_NS_PER_S;

    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security", .at = -2 * IV_NS_PER_S}),
                     "the baseline has no key of this id and role that was valid then and is now");
}

Test(approval, that_counted_counts_no_more_when_its_key_is_taken_back)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    cr_expect_str_eq(say(&o, (struct word){.key = "cat", .role = "on-call"}), "counts");
    office_rekey(&o, ring_of(o.signers, 2, NULL));

    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");
    cr_expect(stage_execution(&o.s).state == IV_RUN_WAITING && hook_count(o.hook) == 0);

    cr_expect_str_eq(say(&o, (struct word){.key = "bob", .role = "security"}), "counts");
    cr_expect(stage_execution(&o.s).state == IV_RUN_DONE && hook_count(o.hook) == 2);
}

/* The same ids and roles, and other keys. */
static void office_swap_keys(struct office *o, unsigned char by)
{
    for (size_t i = 0; i < IV_COUNT(ids); i++) {
        unsigned char seed[32] = {(unsigned char)(seeds[i] + by)};
        iv_signer_free(o->signers[i]);
        cr_assert(iv_ok(iv_signer_of_seed(&o->signers[i], seed, NULL)));
    }
    office_rekey(o, ring_of(o->signers, IV_COUNT(ids), NULL));
}

Test(approval, that_counted_counts_no_more_under_another_key_of_its_id)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");
    office_swap_keys(&o, 100);

    cr_expect_str_eq(say(&o, (struct word){.key = "cat", .role = "on-call"}), "counts");
    cr_expect(stage_execution(&o.s).state == IV_RUN_WAITING, "the first was signed by a key that is gone");
    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts",
                     "whoever has the id today has said nothing yet");

    cr_expect(stage_execution(&o.s).state == IV_RUN_DONE);
}

Test(approval, that_waits_to_be_heard_does_not_count_under_another_key_of_its_id)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, "approval: {roles: security}\n");
    struct iv_signer *old = TAKE(o.signers[0]);
    unsigned char seed[32] = {101};
    cr_assert(iv_ok(iv_signer_of_seed(&o.signers[0], seed, NULL)));
    office_rekey(&o, ring_of(o.signers, IV_COUNT(ids), NULL));
    iv_signer_free(o.signers[0]);
    o.signers[0] = old;

    cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}),
                     "the signature is not by this key over this execution and its requests");

    cr_expect(stage_execution(&o.s).state == IV_RUN_WAITING && hook_count(o.hook) == 0);
}

Test(approval, counts_however_much_was_put_in_before_it_that_does_not)
{
    IV_AUTO(office_deinit) struct office o;
    office_init(&o, TWO);
    struct iv_execution e = stage_execution(&o.s);
    struct iv_approval junk = {.execution = e.key,
                               .approve = true,
                               .role = IV_STR("security"),
                               .key = IV_STR("ann"),
                               .at = o.s.now,
                               .reason = IV_STR(""),
                               .signature = IV_STR("none")};
    cr_assert(iv_ok(iv_store_begin(o.s.store, NULL)));
    for (int i = 0; i < 300; i++) {
        cr_assert(iv_ok(iv_store_put_approval(o.s.store, &junk, NULL)));
    }
    cr_assert(iv_ok(iv_store_commit(o.s.store, NULL)));

    (void)say(&o, (struct word){.key = "ann", .role = "security"});
    (void)say(&o, (struct word){.key = "cat", .role = "on-call"});
    for (int turns = 0; turns < 10; turns++) { /* some are judged at a time */
        stage_run(&o.s, true);
    }

    cr_expect(stage_execution(&o.s).state == IV_RUN_DONE && hook_count(o.hook) == 2);
}

static void statement_of(struct iv_buf *out, const struct iv_task *step)
{
    const struct iv_approval a = {
        .approve = true, .role = IV_STR("r"), .key = IV_STR("k"), .at = 0, .reason = IV_STR("")};
    iv_buf_init(out, 4096);
    cr_assert(iv_ok(iv_approval_statement(out, &a, step, 1, NULL)));
}

static const struct iv_task agreed = {
    .execution = {.key = IV_STR("e"), .playbook = IV_STR("p"), .target = IV_STR("t\"")},
    .step = {.name = IV_STR("one"),
             .kind = IV_STR("http"),
             .request = IV_STR("{\"endpoint\":\"hook\",\"address\":\"http://one\"}"),
             .timeout = IV_NS_PER_S,
             .attempts = 5,
             .expectation = IV_STR("{\"sense\":\"seen\"}"),
             .within = 30 * IV_NS_PER_S,
             .undoes = 1,
             .undo_after = 3600 * IV_NS_PER_S}};

Test(approval, is_signed_over_all_that_is_agreed_to_of_a_step)
{
    struct iv_task others[10];
    for (size_t i = 0; i < IV_COUNT(others); i++) {
        others[i] = agreed;
    }
    others[0].step.name = IV_STR("two");
    others[1].step.kind = IV_STR("oauth.revoke");
    others[2].step.request = IV_STR("{\"endpoint\":\"hook\",\"address\":\"http://two\"}");
    others[3].step.timeout = 2 * IV_NS_PER_S;
    others[4].step.attempts = 1;
    others[5].step.expectation = IV_STR("{\"sense\":\"unseen\"}");
    others[6].step.within = 31 * IV_NS_PER_S;
    others[7].step.undo_after = 24 * 3600 * IV_NS_PER_S;
    others[8].step.on_failure = IV_ON_FAILURE_CONTINUE;
    others[9].step.only_escalated = true;
    IV_AUTO(iv_buf_deinit) struct iv_buf want;
    statement_of(&want, &agreed);
    for (size_t i = 0; i < IV_COUNT(others); i++) {
        IV_AUTO(iv_buf_deinit) struct iv_buf got;
        statement_of(&got, &others[i]);
        cr_expect(iv_str_cmp(iv_buf_slice(&want), iv_buf_slice(&got)) != 0, "row %zu: the same is signed", i);
    }
}

Test(approval, is_signed_over_the_canonical_form_of_what_it_is_about)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf statement;
    IV_AUTO(iv_buf_deinit) struct iv_buf terms;
    iv_buf_init(&terms, 4096);

    statement_of(&statement, &agreed);
    cr_assert(iv_ok(iv_approval_terms(&terms, &agreed.step, NULL)));

    cr_expect_str_eq(terms.p, "{\"attempts\":5,\"timeout\":\"1s\",\"on_failure\":\"stop\","
                              "\"expect\":{\"sense\":\"seen\"},\"within\":\"30s\","
                              "\"undoes\":1,\"undo_after\":\"3600s\"}");
    cr_expect_str_eq(statement.p,
                     "{\"at\":\"1970-01-01T00:00:00Z\",\"decision\":\"approve\",\"execution\":\"e\","
                     "\"key\":\"k\",\"parameters\":"
                     "\"12ac3d59f0751f2366c27ce156718fb656e37e58a7cacffa5043918cb7889e48\","
                     "\"playbook\":\"p\",\"reason\":\"\",\"role\":\"r\",\"target\":\"t\\\"\","
                     "\"version\":2}");
}

Test(approval, holds_for_the_place_that_the_endpoint_had_alone)
{
    static const struct {
        const char *signed_at; /* NULL: where it is called; of no bytes: it had none */
        enum iv_run_state ends;
    } rows[] = {{NULL, IV_RUN_DONE}, {"http://127.0.0.1:1", IV_RUN_FAILED}, {"", IV_RUN_FAILED}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(office_deinit) struct office o;
        office_init_at(&o, "approval: {roles: security}\n", rows[i].signed_at);

        cr_expect_str_eq(say(&o, (struct word){.key = "ann", .role = "security"}), "counts");

        cr_expect(stage_execution(&o.s).state == rows[i].ends, "row %zu", i);
        cr_expect(hook_count(o.hook) == (rows[i].signed_at == NULL ? 2 : 0), "row %zu", i);
        cr_expect(rows[i].signed_at == NULL ||
                      strstr(stage_step(&o.s, 0).cause.p, "has moved since it was approved") != NULL,
                  "row %zu", i);
    }
}
