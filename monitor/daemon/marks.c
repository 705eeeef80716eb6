/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/marks.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <string.h>

struct iv_marks {
    size_t partitions;
    size_t keep;
    size_t count; /* ever added */
    iv_ns *asked; /* by number modulo keep, as the next ones */
    iv_ns *told;
    struct iv_cursor *ends;
};

void iv_marks_free(struct iv_marks *m)
{
    if (m != NULL) {
        iv_free(m->asked);
        iv_free(m->told);
        iv_free(m->ends);
        iv_free(m);
    }
}

void iv_marks_freep(struct iv_marks **marks)
{
    iv_marks_free(*marks);
}

iv_rc iv_marks_new(struct iv_marks **out, size_t partitions, size_t keep, struct iv_err *err)
{
    IV_AUTO(iv_marks_freep) struct iv_marks *m = iv_calloc(1, sizeof *m);
    ENSURE(m != NULL, err, IV_E_NOMEM, "cannot allocate marks");
    m->partitions = partitions;
    m->keep = keep;
    m->asked = iv_calloc(keep, sizeof *m->asked);
    m->told = iv_calloc(keep, sizeof *m->told);
    m->ends = iv_calloc(keep * (partitions + 1), sizeof *m->ends);
    ENSURE(m->asked != NULL && m->told != NULL && m->ends != NULL, err, IV_E_NOMEM, "cannot allocate marks");
    *out = TAKE(m);
    return IV_OK;
}

static struct iv_cursor *ends_of(const struct iv_marks *m, size_t number)
{
    return &m->ends[number % m->keep * m->partitions];
}

static size_t oldest(const struct iv_marks *m)
{
    return m->count > m->keep ? m->count - m->keep : 0;
}

void iv_marks_forget(struct iv_marks *m)
{
    m->count = 0;
}

const struct iv_cursor *iv_marks_add(struct iv_marks *m, iv_ns asked, iv_ns told,
                                     const struct iv_cursor *ends)
{
    const struct iv_cursor *back = NULL;
    const struct iv_cursor *newest = m->count == 0 ? NULL : ends_of(m, m->count - 1);
    for (size_t i = 0; i < m->partitions; i++) {
        if (ends[i].offset < 0) {
            return NULL;
        }
        bool goes_back = newest != NULL && ends[i].offset < newest[i].offset;
        back = back == NULL && goes_back ? &ends[i] : back;
    }
    m->count = back != NULL ? 0 : m->count;
    m->asked[m->count % m->keep] = asked;
    m->told[m->count % m->keep] = told;
    if (m->partitions > 0) {
        memcpy(ends_of(m, m->count), ends, m->partitions * sizeof *ends);
    }
    m->count++;
    return back;
}

const struct iv_cursor *iv_marks_before(const struct iv_marks *m, iv_ns wall)
{
    for (size_t n = m->count; n > oldest(m); n--) {
        if (m->told[(n - 1) % m->keep] <= wall) {
            return ends_of(m, n - 1);
        }
    }
    return NULL;
}

static bool lies_behind(const struct iv_cursor *end, const struct iv_cursor *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i].stream == end->stream && at[i].partition == end->partition) {
            return at[i].offset >= end->offset;
        }
    }
    return false;
}

iv_ns iv_marks_reached(const struct iv_marks *m, const struct iv_cursor *at, size_t count,
                       enum iv_stream stream)
{
    for (size_t n = m->count; n > oldest(m); n--) {
        const struct iv_cursor *ends = ends_of(m, n - 1);
        bool reached = true;
        for (size_t i = 0; i < m->partitions && reached; i++) {
            reached = ends[i].stream != stream || lies_behind(&ends[i], at, count);
        }
        if (reached) {
            return m->asked[(n - 1) % m->keep];
        }
    }
    return IV_NS_MIN;
}

static bool all_read(const struct iv_marks *m, const struct iv_cursor *ends, const struct iv_cursor *at,
                     size_t count)
{
    for (size_t i = 0; i < m->partitions; i++) {
        for (size_t k = 0; k < count; k++) {
            bool same = at[k].stream == ends[i].stream && at[k].partition == ends[i].partition;
            if (same && at[k].offset < ends[i].offset) {
                return false;
            }
        }
    }
    return true;
}

iv_ns iv_marks_read(const struct iv_marks *m, const struct iv_cursor *at, size_t count)
{
    for (size_t n = m->count; count > 0 && n > oldest(m); n--) {
        if (all_read(m, ends_of(m, n - 1), at, count)) {
            return m->asked[(n - 1) % m->keep];
        }
    }
    return IV_NS_MIN;
}

bool iv_marks_any(const struct iv_marks *m)
{
    return m->count > 0;
}
