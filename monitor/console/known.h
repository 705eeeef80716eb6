/* SPDX-License-Identifier: Apache-2.0 */
/* Who is known by what the store has: a session's cookie, or a token that was made for a program.
 * Guarantee: a session ends twelve hours after it was opened, thirty minutes after it was used last, when its
 * user's password changes or he is removed. A session of the configured token ends when that is another one.
 * Owner/thread: any thread that answers. */
#pragma once

#include "console/account.h"
#include "console/server.h"

/* "__Host-invigil" where the console has TLS: then it came over TLS, from this host alone. */
const char *iv_known_cookie(const struct iv_console *console);

/* Filled where the secret is one that is in force; else left alone. An error: the store cannot be asked. */
iv_rc iv_known_by_session(struct iv_who *who, struct iv_console *console, struct iv_str secret,
                          struct iv_err *err);
iv_rc iv_known_by_token(struct iv_who *who, struct iv_console *console, struct iv_str secret,
                        struct iv_err *err);
/* A user of the certificate's name; else whoever has one may read, unless the configured token is asked for
 * besides. expires: of the certificate. */
iv_rc iv_known_by_certificate(struct iv_who *who, struct iv_console *console, const char *name, iv_ns expires,
                              struct iv_err *err);

/* False: he is not any more, by what he was known by. Counts as use. A store that cannot be asked changes
 * nothing. */
bool iv_known_still(struct iv_console *console, const struct iv_who *who);

/* The row of a new session, and the words that its cookie gets. for_token: of the configured token. */
iv_rc iv_known_new_session(struct iv_session *out, char secret[IV_SECRET_TEXT_BYTES],
                           struct iv_console *console, struct iv_str user, bool for_token,
                           struct iv_err *err);
/* Those whose time is over. */
iv_rc iv_known_forget(struct iv_store *store, iv_ns now, struct iv_err *err);
