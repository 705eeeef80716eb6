/* SPDX-License-Identifier: Apache-2.0 */
#include "confine/identity.h"
#include "base/guard.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_MAX_BYTES 16384

static iv_rc name_of(char *out, size_t size, struct iv_str name, const char *what, struct iv_err *err)
{
    ENSURE(name.n > 0 && name.n < size && memchr(name.p, '\0', name.n) == NULL, err, IV_E_REFUSED,
           "the %s '" IV_STR_FMT "' is no name of 1 to %zu bytes", what, IV_STR_ARG(name), size - 1);
    memcpy(out, name.p, name.n);
    out[name.n] = '\0';
    return IV_OK;
}

static iv_rc find_user(struct iv_identity *out, struct iv_err *err)
{
    char record[RECORD_MAX_BYTES];
    struct passwd entry;
    struct passwd *found = NULL;
    int failure = getpwnam_r(out->user, &entry, record, sizeof record, &found);
    ENSURE(failure == 0, err, IV_E_IO, "cannot look the user '%s' up: %s", out->user, strerror(failure));
    ENSURE(found != NULL, err, IV_E_REFUSED, "there is no user '%s'", out->user);
    out->uid = found->pw_uid;
    out->gid = found->pw_gid;
    return IV_OK;
}

static iv_rc find_group(struct iv_identity *out, struct iv_str group, struct iv_err *err)
{
    char name[sizeof out->user];
    char record[RECORD_MAX_BYTES];
    struct group entry;
    struct group *found = NULL;
    TRY(name_of(name, sizeof name, group, "group", err));
    int failure = getgrnam_r(name, &entry, record, sizeof record, &found);
    ENSURE(failure == 0, err, IV_E_IO, "cannot look the group '%s' up: %s", name, strerror(failure));
    ENSURE(found != NULL, err, IV_E_REFUSED, "there is no group '%s'", name);
    out->gid = found->gr_gid;
    return IV_OK;
}

iv_rc iv_identity_find(struct iv_identity *out, struct iv_str user, struct iv_str group, struct iv_err *err)
{
    struct iv_identity found = {.uid = 0};
    TRY(name_of(found.user, sizeof found.user, user, "user", err));
    TRY(find_user(&found, err));
    if (group.p != NULL) {
        TRY(find_group(&found, group, err));
    }
    found.change = geteuid() != found.uid || getegid() != found.gid;
    *out = found;
    return IV_OK;
}
