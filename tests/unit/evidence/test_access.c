/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "evidence/access.h"
#include "evidence/audit.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    struct scratch dir;
    struct iv_store *store;
    struct iv_reader *reader;
};

static struct place place_make(void)
{
    struct place p = {.dir = scratch_make()};
    cr_assert(iv_ok(iv_store_open(&p.store, scratch_file(&p.dir, "s.db"), NULL)));
    cr_assert(iv_ok(iv_reader_open(&p.reader, scratch_file(&p.dir, "s.db"), NULL)));
    return p;
}

static void place_end(struct place *p)
{
    iv_reader_close(p->reader);
    iv_store_close(p->store);
    scratch_remove(&p->dir);
}

static void commit(struct place *p, struct iv_rc_s rc)
{
    cr_assert(iv_ok(rc));
    cr_assert(iv_ok(iv_store_commit(p->store, NULL)));
}

static struct iv_user user_of(const char *name, const char *roles)
{
    struct iv_user user = {.password = {.cost = 2, .block = 8, .parallel = 1}, .created = 5, .changed = 6};
    (void)snprintf(user.name, sizeof user.name, "%s", name);
    (void)snprintf(user.roles, sizeof user.roles, "%s", roles);
    memset(user.password.hash, 'h', sizeof user.password.hash);
    memset(user.password.salt, 0, sizeof user.password.salt);
    return user;
}

static void put_user(struct place *p, const struct iv_user *user, bool want)
{
    bool fresh = !want;
    cr_assert(iv_ok(iv_store_begin(p->store, NULL)));
    commit(p, iv_store_put_user(p->store, &fresh, user, NULL));
    cr_expect(eq(int, fresh, want));
}

static struct iv_session session_of(const char *user, char digest, iv_ns time)
{
    struct iv_session session = {.created = time, .used = time, .address = "192.0.2.7"};
    memset(session.digest, digest, sizeof session.digest);
    (void)snprintf(session.user, sizeof session.user, "%s", user);
    return session;
}

static void open_session(struct place *p, const struct iv_session *session)
{
    bool opened = false;
    cr_assert(iv_ok(iv_store_begin(p->store, NULL)));
    commit(p, iv_store_open_session(p->store, &opened, session, 0, NULL));
    cr_assert(opened);
}

static bool has_session(struct place *p, const struct iv_session *session)
{
    struct iv_session found;
    struct iv_err err;
    struct iv_rc_s rc = iv_reader_session(p->reader, &found, session->digest, &err);
    cr_assert(iv_ok(rc) || rc.code == IV_E_ABSENT);
    return iv_ok(rc);
}

Test(access, a_user_is_read_back_as_he_was_written_and_comes_once)
{
    struct place p = place_make();
    struct iv_user ann = user_of("ann", "analyst auditor");
    struct iv_user other = user_of("ann", "admin");
    struct iv_user back;

    put_user(&p, &ann, true);
    put_user(&p, &other, false);

    cr_assert(iv_ok(iv_reader_user(p.reader, &back, IV_STR("ann"), NULL)));
    cr_expect(eq(str, back.name, ann.name));
    cr_expect(eq(str, back.roles, ann.roles), "the second one changed nothing");
    cr_expect_arr_eq(back.password.hash, ann.password.hash, sizeof ann.password.hash);
    cr_expect_arr_eq(back.password.salt, ann.password.salt, sizeof ann.password.salt);
    cr_expect(eq(u64, back.password.cost, 2));
    cr_expect(eq(i64, back.changed, 6));
    struct iv_err err;
    cr_expect(eq(int, iv_reader_user(p.reader, &back, IV_STR("Ann"), &err).code, IV_E_ABSENT));
    place_end(&p);
}

Test(access, removal_and_another_password_end_the_sessions_of_their_user_alone)
{
    struct place p = place_make();
    struct iv_user ann = user_of("ann", "admin");
    struct iv_user bob = user_of("bob", "viewer");
    struct iv_session sessions[] = {session_of("ann", 1, 10), session_of("ann", 2, 10),
                                    session_of("bob", 3, 10)};
    bool found = false;
    put_user(&p, &ann, true);
    put_user(&p, &bob, true);
    for (size_t i = 0; i < IV_COUNT(sessions); i++) {
        open_session(&p, &sessions[i]);
    }

    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    commit(&p, iv_store_set_password(p.store, &found, &ann, 0, NULL));
    cr_expect(found);
    cr_expect(not(has_session(&p, &sessions[0])));
    cr_expect(not(has_session(&p, &sessions[1])));
    cr_expect(has_session(&p, &sessions[2]));

    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    commit(&p, iv_store_remove_user(p.store, &found, IV_STR("bob"), NULL));
    cr_expect(found);
    cr_expect(not(has_session(&p, &sessions[2])));
    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    commit(&p, iv_store_remove_user(p.store, &found, IV_STR("bob"), NULL));
    cr_expect(not(found));
    place_end(&p);
}

Test(access, a_password_that_was_proven_is_replaced_only_while_it_is_that_one)
{
    struct place p = place_make();
    struct iv_user ann = user_of("ann", "admin");
    struct iv_session session = session_of("ann", 1, 10);
    struct iv_user back;
    bool found = true;
    ann.changed = 5;
    put_user(&p, &ann, true);
    open_session(&p, &session);

    ann.changed = 7;
    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    commit(&p, iv_store_set_password(p.store, &found, &ann, 4, NULL));
    cr_expect(not(found));
    cr_assert(iv_ok(iv_reader_user(p.reader, &back, IV_STR("ann"), NULL)));
    cr_expect(eq(i64, back.changed, 5));
    cr_expect(has_session(&p, &session), "who has changed nothing ends nothing");

    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    commit(&p, iv_store_set_password(p.store, &found, &ann, 5, NULL));
    cr_expect(found);
    cr_expect(not(has_session(&p, &session)));
    place_end(&p);
}

Test(access, a_session_has_the_roles_that_its_user_has_now_and_is_forgotten_in_time)
{
    struct place p = place_make();
    struct iv_user ann = user_of("ann", "viewer");
    struct iv_session mine = session_of("ann", 1, 100);
    struct iv_session nobodys = session_of("token", 2, 200);
    struct iv_session back;
    put_user(&p, &ann, true);
    open_session(&p, &mine);
    open_session(&p, &nobodys);

    cr_assert(iv_ok(iv_reader_session(p.reader, &back, mine.digest, NULL)));
    cr_expect(eq(str, back.roles, ann.roles));
    cr_expect(eq(str, back.address, mine.address));
    cr_assert(iv_ok(iv_reader_session(p.reader, &back, nobodys.digest, NULL)));
    cr_expect(eq(sz, strlen(back.roles), 0));

    mine.used = 300;
    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    cr_assert(iv_ok(iv_store_use_session(p.store, &mine, NULL)));
    commit(&p, iv_store_forget_sessions(p.store, 100, 300, NULL));
    cr_expect(has_session(&p, &mine), "used just now");
    cr_expect(not(has_session(&p, &nobodys)), "last used before");
    place_end(&p);
}

Test(access, a_session_is_opened_only_while_the_password_that_was_right_is_his)
{
    static const struct {
        const char *user;
        iv_ns changed;
        bool opens;
    } rows[] = {
        {"ann", 6, true}, {"ann", 5, false}, {"ann", 7, false}, {"eve", 6, false}, {"token", 0, true}};
    struct place p = place_make();
    struct iv_user ann = user_of("ann", "viewer");
    put_user(&p, &ann, true);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_session session = session_of(rows[i].user, (char)(i + 1), 10);
        bool opened = !rows[i].opens;
        cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
        commit(&p, iv_store_open_session(p.store, &opened, &session, rows[i].changed, NULL));
        cr_expect(eq(int, opened, rows[i].opens), "row %zu", i);
        cr_expect(eq(int, has_session(&p, &session), rows[i].opens), "row %zu", i);
    }
    place_end(&p);
}

static void put_token(struct place *p, const char *id, const char *creator)
{
    struct iv_token token = {.name = "ci", .roles = "admin", .expires = 9};
    (void)snprintf(token.id, sizeof token.id, "%s", id);
    (void)snprintf(token.creator, sizeof token.creator, "%s", creator);
    memcpy(token.digest, id, strlen(id));
    cr_assert(iv_ok(iv_store_begin(p->store, NULL)));
    commit(p, iv_store_put_token(p->store, &token, NULL));
}

static void list_token(void *ctx, const struct iv_token *token)
{
    char *ids = ctx;
    strncat(ids, token->id, 8);
}

static void expect_tokens(struct place *p, const char *want)
{
    char ids[64] = "";
    cr_assert(iv_ok(iv_reader_tokens(p->reader, NULL, 0, list_token, ids, NULL)));
    cr_expect(eq(str, ids, (char *)(uintptr_t)want));
}

Test(access, with_a_user_or_a_token_go_the_tokens_that_were_made_with_it)
{
    struct place p = place_make();
    struct iv_user ann = user_of("ann", "admin");
    bool found = false;
    put_user(&p, &ann, true);
    put_token(&p, "a", "ann");
    put_token(&p, "b", "token:ci#a");
    put_token(&p, "c", "token:ci#b");
    put_token(&p, "d", "bob");
    put_token(&p, "e", "token:ci#d");
    put_token(&p, "f", "token:ci#e");
    put_token(&p, "g", "token");

    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    commit(&p, iv_store_remove_token(p.store, &found, IV_STR("e"), NULL));
    cr_expect(found);
    expect_tokens(&p, "abcdg");
    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    commit(&p, iv_store_remove_user(p.store, &found, IV_STR("ann"), NULL));
    cr_expect(found);
    expect_tokens(&p, "dg");
    place_end(&p);
}

static void count_token(void *ctx, const struct iv_token *token)
{
    (void)token;
    ++*(size_t *)ctx;
}

Test(access, a_token_is_found_by_its_digest_until_it_is_removed)
{
    struct place p = place_make();
    struct iv_token token = {
        .id = "0123456789abcdef", .name = "ci", .roles = "viewer", .creator = "ann", .expires = 9};
    struct iv_token back;
    struct iv_err err;
    bool found = false;
    size_t count = 0;
    memset(token.digest, 7, sizeof token.digest);

    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    commit(&p, iv_store_put_token(p.store, &token, NULL));
    cr_assert(iv_ok(iv_reader_token(p.reader, &back, token.digest, NULL)));
    cr_expect(eq(str, back.id, token.id));
    cr_expect(eq(i64, back.expires, 9));

    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    commit(&p, iv_store_remove_token(p.store, &found, iv_str_of(token.id), NULL));
    cr_expect(found);
    cr_expect(eq(int, iv_reader_token(p.reader, &back, token.digest, &err).code, IV_E_ABSENT));
    cr_assert(iv_ok(iv_reader_tokens(p.reader, NULL, 0, count_token, &count, NULL)));
    cr_expect(eq(sz, count, 0));
    place_end(&p);
}

struct seen {
    int64_t seqs[16];
    iv_ns times[16];
    size_t count;
};

static bool see(void *ctx, const struct iv_audit *audit)
{
    struct seen *seen = ctx;
    seen->seqs[seen->count] = audit->seq;
    seen->times[seen->count++] = audit->at;
    return true;
}

static void put_audit(struct place *p, const char *who, iv_ns at)
{
    const struct iv_audit audit = {.at = at,
                                   .who = iv_str_of(who),
                                   .via = IV_STR("session"),
                                   .address = IV_STR("::1"),
                                   .what = IV_STR("user.add"),
                                   .object = IV_STR("\"x\" <y>"),
                                   .detail = IV_STR("")};
    cr_assert(iv_ok(iv_store_begin(p->store, NULL)));
    commit(p, iv_store_put_audit(p->store, &audit, NULL));
}

Test(audit, time_never_goes_back_and_a_period_is_found_by_its_ends)
{
    static const iv_ns times[] = {10, 20, 15, 30};
    static const struct {
        struct iv_audit_filter filter;
        size_t count;
        int64_t first;
    } rows[] = {
        {{.limit = 9}, 4, 1},
        {{.limit = 9, .newest_first = true}, 4, 4},
        {{.limit = 2, .newest_first = true, .before = 4}, 2, 3},
        {{.limit = 9, .after = 3}, 1, 4},
        {{.limit = 9, .from = 20, .until = 30}, 2, 2},
        {{.limit = 9, .from = 21}, 1, 4},
        {{.limit = 9, .until = 10}, 0, 0},
        {{.limit = 9, .from = 31}, 0, 0},
        {{.limit = 9, .who = IV_STR_INIT("bob")}, 2, 2},
    };
    struct place p = place_make();
    for (size_t i = 0; i < IV_COUNT(times); i++) {
        put_audit(&p, i % 2 == 0 ? "ann" : "bob", times[i]);
    }
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct seen seen = {.count = 0};
        cr_assert(iv_ok(iv_reader_audit(p.reader, &rows[i].filter, see, &seen, NULL)));
        cr_expect(eq(sz, seen.count, rows[i].count), "row %zu", i);
        cr_expect(eq(i64, seen.seqs[0], rows[i].first), "row %zu", i);
        for (size_t k = 0; k < seen.count; k++) {
            cr_expect(seen.seqs[k] != 3 || seen.times[k] == 20, "row %zu: the third was told 15", i);
        }
    }
    place_end(&p);
}

static bool pass(void *ctx, const struct iv_audit *audit)
{
    (void)ctx;
    (void)audit;
    return true;
}

Test(audit, a_question_that_takes_longer_than_it_may_is_given_up)
{
    static const struct iv_audit audit = {.who = IV_STR_INIT("ann")};
    static const struct iv_audit_filter all = {.limit = 2000};
    struct place p = place_make();
    struct iv_err err;
    cr_assert(iv_ok(iv_store_begin(p.store, NULL)));
    for (int i = 0; i < 2000; i++) {
        cr_assert(iv_ok(iv_store_put_audit(p.store, &audit, NULL)));
    }
    cr_assert(iv_ok(iv_store_commit(p.store, NULL)));
    iv_reader_within(p.reader, 1);
    cr_expect(eq(int, iv_reader_audit(p.reader, &all, pass, NULL, &err).code, IV_E_BUSY));
    cr_expect(strstr(err.text, "too long") != NULL, "%s", err.text);
    iv_reader_within(p.reader, 0);
    cr_expect(iv_ok(iv_reader_audit(p.reader, &all, pass, NULL, &err)));
    place_end(&p);
}

/* POSIX drops all locks of a process on a file when it closes any descriptor of it. Without them another
 * process that closes the store takes itself for the last one, and the log away. */
Test(access, a_second_writer_that_opens_and_closes_leaves_the_locks_of_the_first)
{
    struct place p = place_make();
    struct iv_store *second = NULL;
    put_audit(&p, "ann", 1);
    cr_assert(iv_ok(iv_store_open(&second, scratch_file(&p.dir, "s.db"), NULL)));

    pid_t child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
        int fd = open(scratch_file(&p.dir, "s.db").p, O_RDWR);
        _exit(fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1);
    }
    int status = -1;
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_expect(eq(int, status, 0), "the first connection holds SQLite's shared lock");
    iv_store_close(second);
    place_end(&p);
}
