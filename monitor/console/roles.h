/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, and what he may.
 * Owner/thread: plain data. */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>

/* What a route needs of who asks. */
enum iv_need {
    IV_NEED_OPEN,  /* nothing: health */
    IV_NEED_GUEST, /* nobody in particular, but a client certificate where those are asked for: the page,
                      log-in */
#define PERMISSION(id, name) IV_NEED_##id,
#include "console/permissions.def"
#undef PERMISSION
    IV_NEEDS
};

enum iv_user_role {
#define ROLE(id, name, permissions) IV_ROLE_OF_##id,
#include "console/roles.def"
#undef ROLE
    IV_ROLES
};
#define IV_ROLES_ALL ((1u << IV_ROLES) - 1)

enum iv_via { IV_VIA_NOTHING, IV_VIA_SESSION, IV_VIA_TOKEN, IV_VIA_CERTIFICATE, IV_VIA_DEMO, IV_VIA_COMMAND };

enum { IV_WHO_NAME_BYTES = 128, IV_CSRF_DIGITS = 32 };

struct iv_who {
    char name[IV_WHO_NAME_BYTES]; /* empty: nobody who is known */
    enum iv_via via;
    unsigned roles;       /* bits 1u << enum iv_user_role */
    unsigned permissions; /* bits 1u << enum iv_need */
    char address[64];     /* that the request came from */
    bool ambient;         /* a browser brings it along by itself, whoever's page makes it ask */
    bool stored;          /* digest says where the store has it: a session, or a token that was made */
    unsigned char digest[32];
    char csrf[IV_CSRF_DIGITS + 1]; /* of a session; else empty */
    iv_ns expires;                 /* 0: does not */
};

unsigned iv_roles_may(unsigned roles);
/* False where a name is none of a role. */
bool iv_role_of(enum iv_user_role *out, struct iv_str name);
const char *iv_role_name(enum iv_user_role role);
/* All of them, for a sentence. */
#define IV_ROLE_NAMES "viewer, analyst, responder, auditor and admin"
/* Words with spaces between, and back; what is no role gives nothing. */
void iv_roles_write(struct iv_buf *out, unsigned roles);
unsigned iv_roles_read(struct iv_str words);

const char *iv_permission_name(enum iv_need need);
const char *iv_via_name(enum iv_via via);
