/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"
#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Passes the point "here" three times in a process of its own; answers how that ended. */
static int status_with(const char *fault)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        (void)setenv("IV_FAULT_AT", fault, 1);
        for (int i = 0; i < 3; i++) {
            iv_fault("here");
        }
        _exit(0);
    }
    int status = 0;
    cr_assert(waitpid(child, &status, 0) == child);
    return status;
}

Test(fault, kills_at_the_pass_that_was_asked_for_and_at_no_other)
{
    static const struct {
        const char *fault;
        bool killed;
    } rows[] = {{"here", true},    {"here:1", true}, {"here:3", true},
                {"here:4", false}, {"there", false}, {"", false}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        int status = status_with(rows[i].fault);
        bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        cr_expect(killed == rows[i].killed, "'%s'", rows[i].fault);
    }
}
