/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/approvers.h"

#include "event/keyring.h"

#include <inttypes.h>
#include <string.h>

/* The next of the words that spaces part; false: there is none. */
static bool next_word(struct iv_str *word, struct iv_str *rest)
{
    const char *space = rest->n == 0 ? NULL : memchr(rest->p, ' ', rest->n);
    size_t n = space == NULL ? rest->n : (size_t)(space - rest->p);
    *word = (struct iv_str){rest->p, n};
    n += space != NULL;
    *rest = (struct iv_str){n == 0 ? rest->p : rest->p + n, rest->n - n};
    return word->n > 0;
}

static bool is_each(struct iv_str word)
{
    return iv_str_eq(word, IV_STR(IV_EACH));
}

void iv_approvers_each(struct iv_str roles, void (*visit)(void *ctx, struct iv_str role), void *ctx)
{
    struct iv_str word;
    for (struct iv_str rest = roles; next_word(&word, &rest);) {
        if (!is_each(word)) {
            visit(ctx, word);
        }
    }
}

bool iv_approvers_have(struct iv_str roles, struct iv_str role)
{
    struct iv_str word;
    for (struct iv_str rest = roles; next_word(&word, &rest);) {
        if (!is_each(word) && iv_str_eq(word, role)) {
            return true;
        }
    }
    return false;
}

static void need_one(void *ctx, struct iv_str role)
{
    struct iv_consents *needs = ctx;
    size_t i = 0;
    while (i < needs->count && !iv_str_eq(needs->items[i].roles, role)) {
        i++;
    }
    if (i < IV_QUORUM_MAX) {
        needs->items[i].roles = role;
        needs->items[i].count++;
        needs->count = i == needs->count ? i + 1 : needs->count;
    }
}

static bool of_each(struct iv_str approvers)
{
    struct iv_str word;
    struct iv_str rest = approvers;
    return next_word(&word, &rest) && next_word(&word, &rest) && is_each(word);
}

struct iv_consents iv_consents_of(struct iv_str approvers, int64_t quorum)
{
    struct iv_consents needs = {.count = 0};
    if (of_each(approvers)) {
        iv_approvers_each(approvers, need_one, &needs);
    } else {
        needs.items[needs.count++] = (struct iv_consent){approvers, quorum};
    }
    return needs;
}

void iv_consents_take(struct iv_consents *needs, struct iv_str role)
{
    for (size_t i = 0; i < needs->count; i++) {
        if (iv_approvers_have(needs->items[i].roles, role) && needs->items[i].count > 0) {
            needs->items[i].count--;
        }
    }
}

bool iv_consents_met(const struct iv_consents *needs)
{
    for (size_t i = 0; i < needs->count; i++) {
        if (needs->items[i].count > 0) {
            return false;
        }
    }
    return true;
}

void iv_consents_write(struct iv_buf *out, const struct iv_consents *needs)
{
    const char *between = "";
    for (size_t i = 0; i < needs->count; i++) {
        const struct iv_consent *need = &needs->items[i];
        if (need->count > 0) {
            iv_buf_printf(out, "%s%" PRId64 "%s " IV_STR_FMT, between, need->count,
                          needs->count == 1 ? " of:" : "", IV_STR_ARG(need->roles));
            between = " and ";
        }
    }
}

/* Those keys that could approve some of the needs. */
struct choice {
    const struct iv_consents *needs;
    unsigned some; /* a bit for each of the needs */
    struct iv_str tenant;
    const struct iv_instant *now;
};

static bool is_chosen(void *ctx, const struct iv_key *key)
{
    const struct choice *c = ctx;
    bool wanted = key->tenant.n == 0 || iv_str_eq(key->tenant, c->tenant);
    wanted = wanted && (c->now == NULL || (iv_instant_cmp(*key->not_before, *c->now) <= 0 &&
                                           iv_instant_cmp(*c->now, *key->not_after) < 0));
    for (size_t i = 0; wanted && i < c->needs->count; i++) {
        if ((c->some >> i & 1u) != 0 && iv_approvers_have(c->needs->items[i].roles, key->role)) {
            return true;
        }
    }
    return false;
}

struct search {
    struct choice choice;
    const struct iv_keyring *keyring;
    unsigned some; /* the needs that are out of reach for the tenant that comes nearest */
    int64_t needed;
    int64_t there;
    bool bound; /* to that tenant */
    bool had;   /* for one tenant at least, or for all */
};

/* Hall's theorem: different keys can be had for all of the needs when any of them together have as many. Of
 * those that have not, the first hold no others. */
static void try_tenant(struct search *s, struct iv_str tenant)
{
    s->choice.tenant = tenant;
    for (unsigned some = 1; some < 1u << s->choice.needs->count; some++) {
        int64_t needed = 0;
        for (size_t i = 0; i < s->choice.needs->count; i++) {
            needed += (some >> i & 1u) != 0 ? s->choice.needs->items[i].count : 0;
        }
        s->choice.some = some;
        int64_t there = (int64_t)iv_keyring_count(s->keyring, is_chosen, &s->choice);
        if (there < needed) {
            if (s->some == 0 || some > s->some || (some == s->some && there > s->there)) {
                s->some = some;
                s->needed = needed;
                s->there = there;
                s->bound = tenant.n > 0;
            }
            return;
        }
    }
    s->had = true;
}

static bool try_tenant_of(void *ctx, const struct iv_key *key)
{
    struct search *s = ctx;
    if (!s->had && key->tenant.n > 0) {
        try_tenant(s, key->tenant);
    }
    return false;
}

bool iv_consents_lack(struct iv_lack *lack, const struct iv_consents *needs, const struct iv_keyring *keyring,
                      const struct iv_instant *now)
{
    struct search s = {.choice = {.needs = needs, .now = now}, .keyring = keyring};
    try_tenant(&s, IV_STR(""));
    (void)iv_keyring_count(keyring, try_tenant_of, &s);
    if (s.had) {
        return false;
    }
    for (size_t i = 0; i < needs->count; i++) {
        if ((s.some >> i & 1u) != 0) {
            iv_buf_text(lack->roles, lack->roles->n == 0 ? "" : " ");
            iv_buf_str(lack->roles, needs->items[i].roles);
        }
    }
    lack->needed = s.needed;
    lack->there = s.there;
    lack->bound = s.bound;
    return true;
}
