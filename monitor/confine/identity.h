/* SPDX-License-Identifier: Apache-2.0 */
/* Who the process is to become: a user and his groups, looked up by name.
 * Owner/thread: the main thread, before there are others. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

struct iv_identity {
    uid_t uid;
    gid_t gid;
    char user[64];
    bool change; /* it is another than the process has now */
};

/* group may have p NULL: the user's own. IV_E_REFUSED: there is no such user or group. */
iv_rc iv_identity_find(struct iv_identity *out, struct iv_str user, struct iv_str group, struct iv_err *err);
