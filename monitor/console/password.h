/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords as requests bring them: looked at, and made.
 * Guarantee: who fails waits (tries.h); a name that there is not costs what any other does.
 * Owner/thread: any thread that answers. False, of each: the reply holds the refusal. */
#pragma once

#include "console/server.h"

/* He need not wait. */
bool iv_password_may_try(struct iv_request *request, struct iv_reply *reply, struct iv_str name);
/* Where his waits begin with this failure, the record has it. */
void iv_password_failed(struct iv_request *request, struct iv_str name);
void iv_password_succeeded(struct iv_request *request, struct iv_str name);

/* *right: there is a user of the name, and this is his password, which he has had since *changed. */
bool iv_password_look(bool *right, iv_ns *changed, struct iv_request *request, struct iv_reply *reply,
                      struct iv_str name, struct iv_str password);

/* The row of a user with it. */
bool iv_password_make(struct iv_user *out, struct iv_request *request, struct iv_reply *reply,
                      struct iv_str name, unsigned roles, struct iv_str password);
