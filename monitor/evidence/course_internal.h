/* SPDX-License-Identifier: Apache-2.0 */
/* What a ramp asks of a playbook's executions, remembered: it is asked for each finding of a storm, and all
 * that are at work would be counted for each. Internal to the room. */
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IV_COURSES_MAX 16
#define IV_COURSE_ENDS_MAX 128

struct iv_course {
    char playbook[64];
    size_t playbook_n; /* 0: this place is free */
    struct {
        bool known;
        int64_t count; /* exactly so many then, counted to the end */
        int64_t begun; /* of struct iv_courses then */
    } at_work;
    struct {
        bool known;
        iv_ns since;
        int64_t moved; /* of struct iv_courses then */
        size_t limit;
        size_t count;
        bool wrong[IV_COURSE_ENDS_MAX];
    } ends;
};

/* Forgotten by a rollback. */
struct iv_courses {
    int64_t begun; /* at least so many came to be at work, of whatever playbook, since the store was opened */
    int64_t moved; /* so often an execution changed its state */
    size_t next;   /* the place that is taken next */
    struct iv_course items[IV_COURSES_MAX];
};
