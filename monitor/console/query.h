/* SPDX-License-Identifier: Apache-2.0 */
/* A request's query parameters.
 * Guarantee: a value is UTF-8, at most 256 bytes without control characters, or where it is an identifier of
 * events', at most 4 KiB without NUL; each name stands once and is one that the route knows. What they say
 * goes to the store as bound values, never as text of a statement. */
#pragma once

#include "console/server.h"

/* known: the names of the route, with commas between. False: the reply holds the refusal. */
bool iv_query_read(struct iv_request *request, struct iv_reply *reply, struct iv_str known);

/* p NULL: not given. */
struct iv_str iv_query_get(const struct iv_request *request, const char *name);
/* Not given: fallback. False: the reply says what is wrong. */
bool iv_query_number(uint64_t *out, const struct iv_request *request, struct iv_reply *reply,
                     const char *name, uint64_t fallback, uint64_t max);
/* What lies before 1896 or behind 2116 is held to be their edge, so that the length of a period is a number.
 */
bool iv_query_time(iv_ns *out, const struct iv_request *request, struct iv_reply *reply, const char *name,
                   iv_ns fallback);
/* The parameters from and to; not given: IV_NS_MIN and IV_NS_MAX. False also where to is before from. */
bool iv_query_period(iv_ns *from, iv_ns *until, const struct iv_request *request, struct iv_reply *reply);
/* One of the names of a list with commas between. */
bool iv_query_word(struct iv_str *out, const struct iv_request *request, struct iv_reply *reply,
                   const char *name, const char *words);

/* Percent-decoding in place, as RFC 3986 2.1 has it. What does not decode stays as it is; a NUL becomes a
 * byte that is not UTF-8, so that no text is cut short at it, and none that has one is taken. Answers the
 * length. */
size_t iv_query_unescape(void *ctx, struct MHD_Connection *connection, char *text);
