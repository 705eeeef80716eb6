/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "console/limit.h"
#include "console/tries.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define S IV_NS_PER_S

static const struct iv_limit_terms terms = {5, 900 * S};

static struct iv_limit *limit_new(void)
{
    struct iv_limit *limit = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_limit_new(&limit, &err)), "%s", err.text);
    return limit;
}

static struct iv_tries *tries_new(void)
{
    struct iv_tries *tries = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_tries_new(&tries, &err)), "%s", err.text);
    return tries;
}

static iv_ns left_of(struct iv_tries *tries, const char *name, const char *address, iv_ns now)
{
    struct iv_try who = {.name = name == NULL ? (struct iv_str){NULL, 0} : iv_str_of(name),
                         .address = address};
    return iv_try_left(tries, &who, now);
}

/* As often as a minute's guessing allows. */
static void guess(struct iv_tries *tries, const char *name, const char *address, iv_ns from, iv_ns until)
{
    struct iv_try who = {.name = name == NULL ? (struct iv_str){NULL, 0} : iv_str_of(name),
                         .address = address};
    for (iv_ns now = from; now < until; now += S / 10) {
        if (iv_try_left(tries, &who, now) == 0) {
            (void)iv_try_failed(tries, &who, now);
        }
    }
}

Test(limit, five_failures_are_free_and_each_further_one_doubles_the_wait)
{
    static const iv_ns waits[] = {0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900};
    struct iv_limit *limit = limit_new();
    iv_ns now = 1000 * S;
    for (size_t i = 0; i < IV_COUNT(waits); i++) {
        cr_assert(eq(i64, iv_limit_left(limit, IV_STR("ann"), now), 0), "try %zu", i);
        cr_expect(eq(uint, iv_limit_fail(limit, IV_STR("ann"), &terms, now), (unsigned)i + 1), "try %zu", i);
        if (waits[i] > 0) {
            cr_expect(eq(i64, iv_limit_left(limit, IV_STR("ann"), now), waits[i] * S), "try %zu", i);
            cr_expect(eq(i64, iv_limit_left(limit, IV_STR("ann"), now + waits[i] * S - 1), 1), "try %zu", i);
        }
        now += waits[i] * S;
    }
    iv_limit_free(limit);
}

Test(limit, one_name_does_not_make_another_one_wait)
{
    struct iv_limit *limit = limit_new();
    for (int i = 0; i < 9; i++) {
        (void)iv_limit_fail(limit, IV_STR("ann"), &terms, i);
    }
    cr_expect(iv_limit_left(limit, IV_STR("ann"), 9) > 0);
    cr_expect(eq(i64, iv_limit_left(limit, IV_STR("bob"), 9), 0));
    iv_limit_free(limit);
}

Test(limit, what_is_forgiven_does_not_count)
{
    struct iv_limit *limit = limit_new();
    for (int i = 0; i < 5; i++) {
        (void)iv_limit_fail(limit, IV_STR("ann"), &terms, i);
    }
    iv_limit_forgive(limit, IV_STR("ann"));
    for (int i = 0; i < 4; i++) {
        (void)iv_limit_fail(limit, IV_STR("ann"), &terms, 10 + i);
        cr_expect(eq(i64, iv_limit_left(limit, IV_STR("ann"), 10 + i), 0), "try %d", i);
    }
    iv_limit_free(limit);
}

Test(limit, an_hour_without_a_failure_makes_a_new_beginning)
{
    struct iv_limit *limit = limit_new();
    for (int i = 0; i < 5; i++) {
        (void)iv_limit_fail(limit, IV_STR("ann"), &terms, i);
    }
    iv_ns later = 3601 * S;
    for (int i = 0; i < 4; i++) {
        (void)iv_limit_fail(limit, IV_STR("ann"), &terms, later + i);
        cr_expect(eq(i64, iv_limit_left(limit, IV_STR("ann"), later + i), 0), "try %d", i);
    }
    iv_limit_free(limit);
}

Test(limit, a_hundred_thousand_names_fit_and_no_wait_is_forgotten_for_them)
{
    struct iv_limit *limit = limit_new();
    char name[32];
    for (int i = 0; i < 10; i++) {
        (void)iv_limit_fail(limit, IV_STR("ann"), &terms, i);
    }
    for (int i = 0; i < 100000; i++) {
        (void)snprintf(name, sizeof name, "name-%d", i);
        (void)iv_limit_fail(limit, iv_str_of(name), &terms, S + i);
    }
    for (int i = 0; i < 5; i++) {
        (void)iv_limit_fail(limit, iv_str_of(name), &terms, 2 * S + i);
    }
    cr_expect(iv_limit_left(limit, iv_str_of(name), 2 * S + 5) > 0);
    cr_expect(iv_limit_left(limit, IV_STR("ann"), 2 * S + 5) > 0);
    iv_limit_free(limit);
}

Test(tries, who_guesses_waits_a_quarter_of_an_hour_and_keeps_nobody_else_out)
{
    struct iv_tries *tries = tries_new();
    iv_ns hour = 3600 * S;
    guess(tries, "ann", "192.0.2.7", hour, 2 * hour);
    cr_expect(left_of(tries, "ann", "192.0.2.7", 2 * hour) > 60 * S);
    cr_expect(left_of(tries, "bob", "192.0.2.7", 2 * hour) > 60 * S, "one after the other's password");
    cr_expect(left_of(tries, "ann", "192.0.2.8", 2 * hour) <= 4 * S, "ann herself");
    cr_expect(eq(i64, left_of(tries, NULL, "192.0.2.7", 2 * hour), 0), "a program beside him");
    iv_tries_free(tries);
}

Test(tries, it_is_told_when_the_waits_of_a_name_begin_and_when_those_of_an_address)
{
    struct iv_tries *tries = tries_new();
    unsigned begun = 0;
    for (unsigned i = 0; i < 20; i++) { /* a spray: each name once */
        char name[8];
        (void)snprintf(name, sizeof name, "n%u", i);
        begun += iv_try_failed(tries, &(struct iv_try){.name = iv_str_of(name), .address = "192.0.2.7"}, S);
    }
    cr_expect(eq(uint, begun, 1));
    for (unsigned i = 0; i < 20; i++) {
        begun += iv_try_failed(tries, &(struct iv_try){.name = IV_STR("ann"), .address = "192.0.2.7"}, S);
        begun += iv_try_failed(tries, &(struct iv_try){.name = {NULL, 0}, .address = "192.0.2.7"}, S);
    }
    cr_expect(eq(uint, begun, 3));
    iv_tries_free(tries);
}

Test(tries, on_this_machine_nobody_waits_longer_than_some_seconds)
{
    static const char *const rows[] = {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_tries *tries = tries_new();
        guess(tries, "ann", rows[i], S, 600 * S);
        cr_expect(left_of(tries, "ann", rows[i], 600 * S) <= 4 * S, "%s", rows[i]);
        cr_expect(left_of(tries, "bob", rows[i], 600 * S) <= 4 * S, "%s", rows[i]);
        guess(tries, NULL, rows[i], 600 * S, 700 * S);
        cr_expect(eq(i64, left_of(tries, NULL, rows[i], 700 * S), 0), "%s", rows[i]);
        iv_tries_free(tries);
    }
}

Test(tries, an_address_is_what_one_host_has)
{
    static const struct {
        const char *guesses;
        const char *asks;
        bool same;
    } rows[] = {
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"fe80::1%eth0", "fe80::2", true},
        {"", "192.0.2.2", false},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_tries *tries = tries_new();
        guess(tries, "ann", rows[i].guesses, S, 300 * S);
        cr_expect(eq(int, left_of(tries, "bob", rows[i].asks, 300 * S) > 0, rows[i].same), "%s and %s",
                  rows[i].guesses, rows[i].asks);
        guess(tries, NULL, rows[i].guesses, 300 * S, 310 * S);
        cr_expect(eq(int, left_of(tries, NULL, rows[i].asks, 310 * S) > 0, rows[i].same), "%s and %s",
                  rows[i].guesses, rows[i].asks);
        iv_tries_free(tries);
    }
}

Test(tries, right_ones_at_the_same_time_do_not_count)
{
    struct iv_tries *tries = tries_new();
    const struct iv_try who = {.name = IV_STR("ann"), .address = "192.0.2.7"};
    for (int i = 0; i < 100; i++) {
        cr_expect(eq(i64, iv_try_left(tries, &who, i), 0));
    }
    for (int i = 0; i < 4; i++) {
        (void)iv_try_failed(tries, &who, 200 + i);
    }
    iv_try_succeeded(tries, &who);
    for (int i = 0; i < 4; i++) {
        (void)iv_try_failed(tries, &(struct iv_try){.name = IV_STR("ann"), .address = "192.0.2.9"}, 300 + i);
    }
    cr_expect(eq(i64, left_of(tries, "ann", "192.0.2.8", 400), 0));
    iv_tries_free(tries);
}

Test(tries, a_stale_token_makes_no_right_one_of_the_same_address_wait)
{
    struct iv_tries *tries = tries_new();
    const struct iv_try stale = {.address = "192.0.2.7", .token = IV_STR("ivg_00000000000000000000")};
    const struct iv_try right = {.address = "192.0.2.7", .token = IV_STR("ivg_11111111111111111111")};
    const struct iv_try guessed = {.address = "192.0.2.7"};
    for (int i = 0; i < 9; i++) {
        (void)iv_try_failed(tries, &stale, 1000 * S + i);
    }
    cr_expect(iv_try_left(tries, &stale, 1000 * S + 9) > 0, "who sends it again and again has to wait");
    cr_expect(eq(i64, iv_try_left(tries, &right, 1000 * S + 9), 0));
    cr_expect(eq(i64, iv_try_left(tries, &guessed, 1000 * S + 9), 0));
    for (int i = 0; i < 9; i++) {
        (void)iv_try_failed(tries, &guessed, 1000 * S + i);
    }
    cr_expect(iv_try_left(tries, &guessed, 1000 * S + 9) > 0,
              "a guess at the configured one counts by address");
    cr_expect(eq(i64, iv_try_left(tries, &right, 1000 * S + 9), 0));
    iv_tries_free(tries);
}

/* A made token that nobody has: each number another one. */
static bool invent(struct iv_tries *tries, int number, iv_ns now)
{
    char token[32];
    (void)snprintf(token, sizeof token, "ivg_%016d", number);
    const struct iv_try who = {.address = "192.0.2.7", .token = iv_str_of(token)};
    if (iv_try_left(tries, &who, now) > 0) {
        return false;
    }
    (void)iv_try_failed(tries, &who, now);
    return true;
}

Test(tries, however_many_tokens_are_invented_no_wrong_password_is_forgotten_for_them)
{
    struct iv_tries *tries = tries_new();
    const struct iv_try ann = {.name = IV_STR("ann"), .address = "192.0.2.7"};
    iv_ns now = 1000 * S;
    for (int i = 0; i < 5; i++) {
        (void)iv_try_failed(tries, &ann, now);
    }
    cr_expect(eq(i64, iv_try_left(tries, &ann, now), S));
    for (int i = 0; i < 20000; i++) { /* of all addresses of a net, so that none has to wait */
        char address[32];
        char token[32];
        (void)snprintf(address, sizeof address, "198.18.%d.%d", i / 250, i % 250);
        (void)snprintf(token, sizeof token, "ivg_%016d", i);
        (void)iv_try_failed(tries, &(struct iv_try){.address = address, .token = iv_str_of(token)},
                            now + 2 * S + i);
        (void)invent(tries, i, now + 2 * S + i);
    }
    now += 10 * S;
    (void)iv_try_failed(tries, &ann, now);
    cr_expect(eq(i64, iv_try_left(tries, &ann, now), 2 * S), "the sixth");
    iv_tries_free(tries);
}

Test(tries, an_address_may_send_some_hundreds_of_different_tokens_and_then_waits_between_them)
{
    struct iv_tries *tries = tries_new();
    const struct iv_try stale = {.address = "192.0.2.7", .token = IV_STR("ivg_stale")};
    const struct iv_try beside = {.address = "192.0.2.8", .token = IV_STR("ivg_right")};
    int taken = 0;
    for (int i = 0; i < 10000; i++) { /* a program that was forgotten, for some days */
        (void)iv_try_failed(tries, &stale, i * 30 * S);
    }
    iv_ns now = 10000 * 30 * S;
    for (int i = 0; i < 20000; i++) {
        taken += invent(tries, i, now + i * S / 1000);
    }
    cr_expect(taken >= 299 && taken <= 310, "in twenty seconds: %d", taken);
    cr_expect(iv_try_left(tries, &(struct iv_try){.address = "192.0.2.7", .token = IV_STR("ivg_right")},
                          now + 20 * S) <= 4 * S);
    cr_expect(eq(i64, iv_try_left(tries, &beside, now + 20 * S), 0));
    iv_tries_free(tries);
}

Test(tries, lock_outs_of_tokens_leave_those_of_names_their_place)
{
    struct iv_tries *tries = tries_new();
    for (unsigned i = 1; i <= 500; i++) {
        cr_assert(eq(uint, iv_tries_lock_outs(tries, false, i * S), i));
    }
    cr_expect(eq(uint, iv_tries_lock_outs(tries, true, 501 * S), 1));
    cr_expect(eq(uint, iv_tries_lock_outs(tries, false, 3601 * S), 1), "an hour after the first one");
    cr_expect(eq(uint, iv_tries_lock_outs(tries, true, 3601 * S), 2));
    iv_tries_free(tries);
}
