/* SPDX-License-Identifier: Apache-2.0 */
/* A page of rows that are numbered by a seq: which one is asked for, and where the next one begins. */
#pragma once

#include "base/json_write.h"
#include "console/server.h"
#include "evidence/reader.h"

struct iv_page {
    int64_t after;  /* rows with a seq above; 0: from the first */
    int64_t before; /* below; 0: from the last */
    bool newest_first;
    size_t limit;
};

/* The parameter limit. False: the reply holds the refusal. */
bool iv_page_limit(size_t *out, struct iv_request *request, struct iv_reply *reply);

/* From the parameters order, after and limit. The cursor is the seq of the last row of the page before,
 * whichever way the pages go. False: the reply holds the refusal. */
bool iv_page_read(struct iv_page *out, struct iv_request *request, struct iv_reply *reply);

/* A whole number of a cursor, which may be negative. */
bool iv_page_int(int64_t *out, struct iv_str text);

/* As iv_query_period, for a filter of the store's: both 0 where neither was given, and never 0 where one was.
 */
bool iv_page_period(iv_ns *from, iv_ns *until, struct iv_request *request, struct iv_reply *reply);

/* One of several words, or several with commas between, as bits in the order of the words. */
bool iv_page_words(uint32_t *out, struct iv_request *request, struct iv_reply *reply, const char *name,
                   const char *words);

/* Writes position: where a live stream has to begin so that nothing falls between this page and it. Before
 * the rows are read. */
iv_rc iv_page_place(struct iv_json *j, struct iv_reader *reader, struct iv_err *err);
/* With this a page ends before its limit: what producers name is as long as they like, and a few slow readers
 * are not to fill what answers may hold. */
bool iv_page_is_full(const struct iv_json *j);
/* As many rows as were asked for, or a full page: there may be more behind it. */
bool iv_page_goes_on(const struct iv_json *j, size_t count, size_t limit);
/* Writes next, null on a page that is not full: there is nothing behind it. last: the seq of its last row. */
void iv_page_next(struct iv_json *j, bool full, int64_t last);
/* The same of rows that no seq numbers. */
void iv_page_next_text(struct iv_json *j, bool full, const char *cursor);

/* True: a change was not made, and the reply says why: there is no such thing (404), it is in no state for it
 * (409), or the failure. */
bool iv_page_refused(struct iv_reply *reply, struct iv_rc_s rc, const struct iv_err *err);
/* As iv_page_reply, without an ETag and not to be kept: of a change. */
void iv_page_done(struct iv_reply *reply, struct iv_rc_s rc, const struct iv_err *err);
/* The answer of a route whose text is in the body: 200 with an ETag, or the error. */
void iv_page_reply(struct iv_reply *reply, struct iv_rc_s rc, const struct iv_err *err);
