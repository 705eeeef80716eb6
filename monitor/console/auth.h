/* SPDX-License-Identifier: Apache-2.0 */
/* Who is served.
 * Guarantee: nothing but health, the page's own files and the log-in is served to who is not known, except by
 * a console that is open to this machine (`invigil demo`). A change that a browser could be made to ask for
 * by another site's page is refused. */
#pragma once

#include "console/server.h"

/* Finds out who asks (request->who). False: the reply holds the refusal. */
bool iv_auth_admits(struct iv_request *request, struct iv_reply *reply, enum iv_need need);
