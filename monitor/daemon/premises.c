/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/premises.h"

#include "base/guard.h"
#include "confine/identity.h"
#include "respond/needs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where root becomes somebody else: as the bits say it of him and his group. */
static bool may_write(const struct iv_identity *who, const struct stat *s)
{
    mode_t bit = who->uid == s->st_uid ? S_IWUSR : who->gid == s->st_gid ? S_IWGRP : S_IWOTH;
    return (s->st_mode & bit) != 0;
}

static iv_rc check_writable(const struct iv_config *config, const char *path, const char *what,
                            const struct stat *s, struct iv_err *err)
{
    if (config->user.p == NULL || geteuid() != 0) {
        ENSURE(access(path, W_OK) == 0, err, IV_E_STORE, "the store '" IV_STR_FMT "': cannot write %s: %s",
               IV_STR_ARG(config->store_path), what, strerror(errno));
        return IV_OK;
    }
    struct iv_identity who;
    TRY(iv_identity_find(&who, config->user, config->group, err));
    ENSURE(may_write(&who, s), err, IV_E_STORE,
           "the store '" IV_STR_FMT "': the user '" IV_STR_FMT "' may not write %s",
           IV_STR_ARG(config->store_path), IV_STR_ARG(config->user), what);
    return IV_OK;
}

iv_rc iv_premises_store(const struct iv_config *config, bool rights, struct iv_err *err)
{
    char folder[PATH_MAX];
    char what[PATH_MAX + 16];
    struct stat s;
    struct iv_str path = config->store_path;
    size_t n = path.n;
    while (n > 0 && path.p[n - 1] != '/') {
        n--;
    }
    ENSURE(n < sizeof folder, err, IV_E_STORE, "the store's path has %zu bytes, more than a path may have",
           path.n);
    n -= n > 1; /* "/x" is in "/" */
    (void)snprintf(folder, sizeof folder, "%.*s", n == 0 ? 1 : (int)n, n == 0 ? "." : path.p);
    ENSURE(stat(folder, &s) == 0, err, IV_E_STORE, "the store '" IV_STR_FMT "': its folder '%s': %s",
           IV_STR_ARG(path), folder, strerror(errno));
    ENSURE(S_ISDIR(s.st_mode), err, IV_E_STORE, "the store '" IV_STR_FMT "': '%s' is no folder",
           IV_STR_ARG(path), folder);
    if (!rights) {
        return IV_OK;
    }
    (void)snprintf(what, sizeof what, "its folder '%s'", folder);
    TRY(check_writable(config, folder, what, &s, err));
    return stat(path.p, &s) == 0 ? check_writable(config, path.p, "it", &s, err) : IV_OK;
}

struct lacks {
    const struct iv_config *config;
    iv_premises_fn fn;
    void *ctx;
};

static void look_at(void *ctx, struct iv_str playbook, struct iv_str endpoint)
{
    const struct lacks *l = ctx;
    char text[256];
    if (endpoint.p == NULL) {
        if (!iv_hand_wanted(&l->config->local)) {
            l->fn(l->ctx, playbook, "acts on this machine, and the configuration has no 'local'");
        }
        return;
    }
    for (size_t i = 0; i < l->config->endpoint_count; i++) {
        if (iv_str_eq(l->config->endpoints[i].name, endpoint)) {
            return;
        }
    }
    (void)snprintf(text, sizeof text,
                   "calls the endpoint '" IV_STR_FMT "', which the configuration does not have",
                   IV_STR_ARG(endpoint));
    l->fn(l->ctx, playbook, text);
}

void iv_premises_lacks(const struct iv_config *config, const struct iv_playbooks *playbooks,
                       iv_premises_fn fn, void *ctx)
{
    struct lacks l = {config, fn, ctx};
    if ((config->roles & IV_ROLE_RESPOND) != 0) {
        iv_playbooks_needs(playbooks, look_at, &l);
    }
}
