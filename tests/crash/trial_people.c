/* SPDX-License-Identifier: Apache-2.0 */
/* What people do: they see what is there, and do what is not done yet. */
#include "base/arena.h"
#include "base/guard.h"
#include "event/keyring.h"
#include "event/sign.h"
#include "evidence/admitted.h"
#include "evidence/approvals.h"
#include "evidence/triage.h"
#include "respond/approval.h"
#include "respond/halt.h"
#include "respond/moves.h"
#include "trial_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE 2
#define MANY 128
#define ROLE "responder"

struct people {
    struct iv_signer *signers[PEOPLE];
    struct iv_keyring *ring;
};
static const char *const names[PEOPLE] = {"ann", "bob"};

static void give_key(struct people *p, size_t i)
{
    struct iv_err err = {.text = ""};
    const unsigned char seed[32] = {(unsigned char)(i + 1)};
    IV_AUTO(iv_buf_deinit) struct iv_buf pem;
    iv_buf_init(&pem, 4096);
    must(iv_signer_of_seed(&p->signers[i], seed, &err), &err);
    must(iv_signer_public_pem(&pem, p->signers[i], &err), &err);
    const struct iv_key key = {
        .id = iv_str_of(names[i]), .role = IV_STR(ROLE), .public_key = iv_buf_slice(&pem)};
    must(iv_keyring_add(p->ring, &key, &err), &err);
}

void people_come(struct scene *s)
{
    static struct people people;
    struct iv_err err = {.text = ""};
    must(iv_keyring_new(&people.ring, &err), &err);
    for (size_t i = 0; i < PEOPLE; i++) {
        give_key(&people, i);
    }
    s->people = &people;
}

void people_go(struct scene *s)
{
    for (size_t i = 0; s->people != NULL && i < PEOPLE; i++) {
        iv_signer_free(s->people->signers[i]);
    }
    if (s->people != NULL) {
        iv_keyring_free(s->people->ring);
    }
}

const struct iv_keyring *people_keyring(const struct scene *s)
{
    return s->people == NULL ? NULL : s->people->ring;
}

static bool has_spoken(struct scene *s, struct iv_str execution, const char *who, struct iv_arena *arena)
{
    struct iv_err err = {.text = ""};
    struct iv_approval *given = NULL;
    size_t count = 0;
    must(iv_store_approvals(s->store, &given, &count, execution, MANY, arena, &err), &err);
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(given[i].key, iv_str_of(who))) {
            return true;
        }
    }
    return false;
}

static void say(struct scene *s, const struct iv_execution *e, const char *who, bool approve,
                struct iv_arena *arena)
{
    struct iv_err err = {.text = ""};
    struct iv_task *steps = NULL;
    size_t count = 0;
    size_t i = 0;
    unsigned char signature[64];
    IV_AUTO(iv_buf_deinit) struct iv_buf statement;
    iv_buf_init(&statement, 1 << 16);
    while (i < PEOPLE - 1 && strcmp(names[i], who) != 0) {
        i++;
    }
    struct iv_approval a = {.execution = e->key,
                            .approve = approve,
                            .role = IV_STR(ROLE),
                            .key = iv_str_of(names[i]),
                            .at = iv_wall(&s->clock),
                            .reason = IV_STR("seen")};
    must(iv_store_tasks(s->store, &steps, &count, IV_TASKS_OF, e->key, 0, MANY, arena, &err), &err);
    must(iv_approval_statement(&statement, &a, steps, count, &err), &err);
    iv_sign(signature, s->people->signers[i], iv_buf_slice(&statement));
    a.signature = (struct iv_str){(const char *)signature, sizeof signature};
    must(iv_store_put_approval(s->store, &a, &err), &err);
}

void people_say(struct scene *s, const char *who, bool approve)
{
    struct iv_err err = {.text = ""};
    struct iv_execution *waiting = NULL;
    size_t count = 0;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    must(iv_store_begin(s->store, &err), &err);
    must(iv_store_expired(s->store, &waiting, &count, IV_NS_MAX, MANY, &arena, &err), &err);
    for (size_t i = 0; i < count; i++) {
        if (!has_spoken(s, waiting[i].key, who, &arena)) {
            say(s, &waiting[i], who, approve, &arena);
        }
    }
    must(iv_store_commit(s->store, &err), &err);
}

struct keys {
    char of[MANY][IV_UID_HEX];
    char findings[MANY][IV_UID_HEX];
    size_t count;
};

static bool keep_key(void *ctx, const struct iv_execution *e)
{
    struct keys *keys = ctx;
    IV_CHECK(keys->count < MANY && e->key.n == IV_UID_HEX && e->finding.n == IV_UID_HEX);
    memcpy(keys->findings[keys->count], e->finding.p, IV_UID_HEX);
    memcpy(keys->of[keys->count++], e->key.p, IV_UID_HEX);
    return true;
}

static void read_keys(struct keys *out, struct scene *s)
{
    struct iv_err err = {.text = ""};
    out->count = 0;
    must(iv_reader_executions(s->reader, &(struct iv_execution_filter){.limit = MANY}, keep_key, out, &err),
         &err);
}

void people_close(struct scene *s)
{
    struct iv_err err = {.text = ""};
    struct keys keys;
    read_keys(&keys, s);
    for (size_t i = 0; i < keys.count; i++) {
        const struct iv_triage triage = {.finding = {keys.findings[i], IV_UID_HEX},
                                         .verb = IV_TRIAGE_CLOSE,
                                         .who = IV_STR("ann"),
                                         .at = iv_wall(&s->clock),
                                         .assignee = IV_STR(""),
                                         .text = IV_STR(""),
                                         .reason = IV_STR("resolved")};
        must(iv_store_begin(s->store, &err), &err);
        struct iv_rc_s rc = iv_store_triage(s->store, &triage, &err);
        if (rc.code == IV_E_REFUSED) {
            iv_store_rollback(s->store); /* it is closed */
        } else {
            must(rc, &err);
            must(iv_store_commit(s->store, &err), &err);
        }
    }
}

void people_undo(struct scene *s)
{
    struct iv_err err = {.text = ""};
    struct keys keys;
    size_t moved = 0;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    read_keys(&keys, s);
    must(iv_store_begin(s->store, &err), &err);
    for (size_t i = 0; i < keys.count; i++) {
        const struct iv_undo_order order = {{keys.of[i], IV_UID_HEX}, IV_STR("ann"), IV_STR("a false alarm")};
        must(iv_move_undo(s->store, &moved, &order, iv_wall(&s->clock), &arena, &err), &err);
    }
    must(iv_store_commit(s->store, &err), &err);
}

void people_pause(struct scene *s, bool holds)
{
    struct iv_err err = {.text = ""};
    must(iv_store_begin(s->store, &err), &err);
    must(iv_halt_put(s->store, holds, IV_STR("ann"), IV_STR("to see"), iv_wall(&s->clock), &err), &err);
    must(iv_store_commit(s->store, &err), &err);
}
