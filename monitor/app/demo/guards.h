/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped playbooks, as the demo's fleet needs them.
 * Purpose: one in forty of its events is a violation, so within minutes the enclaves that are to be
 * terminated are a larger share of those alive than a guard lets pass in a real fleet, and nobody is there to
 * approve. Owner/thread: one thread, once. */
#pragma once

#include "base/err.h"

/* In a folder that iv_shipped_write has filled: what their guards say of agents, tenants and enclaves holds
 * no share any more. Their figures stay. */
iv_rc iv_demo_guards(const char *folder, struct iv_err *err);
