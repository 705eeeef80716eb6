/* SPDX-License-Identifier: Apache-2.0 */
/* Security events are taken by a receiver that verifies them with somebody else's library. */
#include "base/file.h"
#include "base/guard.h"
#include "respond/peer.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define STEP                                                                                                 \
    "- name: one\n"                                                                                          \
    "  ssf.push:\n"                                                                                          \
    "    endpoint: hook\n"                                                                                   \
    "    path: /events\n"                                                                                    \
    "    subject: {format: jwt_id, iss: \"https://agents.internal/\", jti: \"{{trigger.token_id}}\"}\n"      \
    "    reason: \"{{rule.title}}\"\n"                                                                       \
    "    claims: {reason_user: {en: out}}\n"                                                                 \
    "  retry: {attempts: 2, backoff: 1s}\n"

struct scene {
    struct peer peer;
    struct stage stage;
    struct iv_buf key;
};

static void read_key(struct scene *s, const char *name)
{
    struct iv_err err;
    char file[64];
    (void)snprintf(file, sizeof file, "%s.pem", name);
    iv_buf_clear(&s->key);
    cr_assert(iv_ok(iv_file_read(&s->key, scratch_file(&s->stage.dir, file), &err)), "%s", err.text);
    s->stage.endpoint.set.key = iv_buf_slice(&s->key);
}

static void scene_init(struct scene *s, const char *algorithm, const char *step)
{
    peer_tree("jose");
    char public[128];
    stage_init(&s->stage, step);
    const char *dir = s->stage.dir.path;
    struct peer maker =
        peer_start((const char *const[]){IV_SOURCE_DIR "/tests/respond/make_keys", dir, NULL});
    peer_stop(&maker);
    (void)snprintf(public, sizeof public, "%s/%s.pub", dir, algorithm);
    s->peer = peer_node("receiver.mjs", public);
    iv_buf_init(&s->key, 1 << 14);
    read_key(s, algorithm);
    s->stage.endpoint.hmac_key = (struct iv_str){NULL, 0};
    s->stage.endpoint.set.issuer = IV_STR("https://invigil.internal/");
    s->stage.endpoint.set.audience = IV_STR("https://idp.internal/");
    s->stage.endpoint.set.key_id = IV_STR("k1");
    stage_find(&s->stage);
}

static void scene_run(struct scene *s)
{
    static char url[128];
    (void)strcpy(url, s->peer.line);
    stage_respond(&s->stage, url);
    stage_run(&s->stage, true);
}

static void scene_deinit(struct scene *s)
{
    peer_stop(&s->peer);
    stage_deinit(&s->stage);
    iv_buf_deinit(&s->key);
}

Test(ssf, pushes_an_event_that_verifies_and_says_all_it_must)
{
    static const char *const algorithms[] = {"RS256", "ES256"};
    for (size_t i = 0; i < IV_COUNT(algorithms); i++) {
        IV_AUTO(scene_deinit) struct scene s;
        scene_init(&s, algorithms[i], STEP);

        scene_run(&s);

        struct iv_step step = stage_step(&s.stage, 0);
        cr_expect(step.state == IV_STEP_DONE && step.status == 202, "%s %s", step.cause.p, step.answer.p);
        const char *events = peer_ask(&s.peer, "events");
        char want[2048];
        (void)snprintf(
            want, sizeof want,
            "[{\"header\":{\"typ\":\"secevent+jwt\",\"alg\":\"%s\",\"kid\":\"k1\"},\"claims\":{"
            "\"iss\":\"https://invigil.internal/\",\"jti\":\"%s\",\"iat\":%lld,\"aud\":\"https://"
            "idp.internal/\","
            "\"txn\":\"%s\",\"sub_id\":{\"format\":\"jwt_id\",\"iss\":\"https://agents.internal/"
            "\",\"jti\":\"t-1\"},"
            "\"events\":{\"https://schemas.openid.net/secevent/caep/event-type/session-revoked\":{"
            "\"event_timestamp\":%lld,\"initiating_entity\":\"policy\",\"reason_admin\":{\"en\":\"%s\"},"
            "\"reason_user\":{\"en\":\"out\"}}}}}]",
            algorithms[i], step.key.p, (long long)(s.stage.now / IV_NS_PER_S),
            stage_execution(&s.stage).key.p, (long long)(s.stage.now / IV_NS_PER_S),
            s.stage.sample.rule.title.p);
        cr_expect_str_eq(events, want);
    }
}

Test(ssf, fails_where_the_receiver_refuses_the_event)
{
    static const struct {
        const char *refusal;
        bool other_key;
        enum iv_step_state state;
        const char *cause;
    } rows[] = {
        {"invalid_audience", false, IV_STEP_FAILED, "refused the event: invalid_audience"},
        {"access_denied", false, IV_STEP_FAILED, "refused the event: access_denied"},
        {"200", false, IV_STEP_FAILED, "only 202 says"},
        {"500", false, IV_STEP_DONE, ""}, /* the second attempt is taken */
        {NULL, true, IV_STEP_FAILED, "refused the event: invalid_request"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(scene_deinit) struct scene s;
        scene_init(&s, "ES256", STEP);
        if (rows[i].other_key) {
            read_key(&s, "other");
        }
        char url[128];
        (void)strcpy(url, s.peer.line);
        if (rows[i].refusal != NULL) {
            (void)peer_ask(&s.peer, "refuse %s", rows[i].refusal);
        }
        (void)strcpy(s.peer.line, url);

        scene_run(&s);

        struct iv_step step = stage_step(&s.stage, 0);
        cr_expect(step.state == rows[i].state, "row %zu: %s", i, step.cause.p);
        cr_expect(strstr(step.cause.p, rows[i].cause) != NULL, "row %zu: %s", i, step.cause.p);
    }
}

Test(ssf, signs_nothing_without_a_key_or_for_a_subject_that_is_none)
{
    static const char *const steps[] = {
        STEP,
        "- name: one\n  ssf.push: {endpoint: hook, subject: {format: \"{{trigger.scope?}}\", id: x}}\n",
    };
    static const char *const causes[] = {"has no 'set'", "'subject' must be a subject identifier"};
    for (size_t i = 0; i < IV_COUNT(steps); i++) {
        IV_AUTO(scene_deinit) struct scene s;
        scene_init(&s, "ES256", steps[i]);
        if (i == 0) {
            s.stage.endpoint.set.key = (struct iv_str){NULL, 0};
        }

        scene_run(&s);

        struct iv_step step = stage_step(&s.stage, 0);
        cr_expect(step.state == IV_STEP_FAILED && step.attempt == (i == 0), "row %zu: %s", i, step.cause.p);
        cr_expect(strstr(step.cause.p, causes[i]) != NULL, "row %zu: %s", i, step.cause.p);
        cr_expect_str_eq(peer_ask(&s.peer, "events"), "[]");
    }
}

Test(ssf, takes_the_keys_of_its_two_algorithms_and_no_others)
{
    static const struct {
        const char *key;
        const char *refusal; /* NULL: taken */
    } rows[] = {
        {"RS256", NULL},
        {"ES256", NULL},
        {"short", "the signing key has 1024 bits and needs 2048"},
        {"p384", "must be RSA, for RS256, or EC on P-256"},
        {"ed25519", "must be RSA, for RS256, or EC on P-256"},
        {"encrypted", "no unencrypted private key in PEM"},
    };
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s, "ES256", STEP);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_err err = {.text = ""};
        read_key(&s, rows[i].key);
        s.stage.endpoint.url = IV_STR("https://idp.internal");

        bool taken = iv_ok(iv_endpoint_check(&s.stage.endpoint, &err));

        cr_expect(taken == (rows[i].refusal == NULL), "%s: %s", rows[i].key, err.text);
        cr_expect(taken || strstr(err.text, rows[i].refusal) != NULL, "%s: %s", rows[i].key, err.text);
    }
}
