/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails in turn: the answer is "out of memory", never a crash and never a wrong result. */
#include "unit/cel/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define DONE 10
#define REFUSED 11
#define WRONG 12

static int compile_and_run(void)
{
    static const char source[] = "[1, 2].map(i, 'a' + string(i)).join('-').matches('^a1-a[0-9]$') && "
                                 "{'k': [optional.of(3), optional.none()]}.k.size() == 2";
    struct iv_cel_env *env = NULL;
    struct iv_cel_env *child = NULL;
    struct iv_cel_prog *prog = NULL;
    struct iv_cel_diags diags = {NULL, 0};
    struct iv_cel_frame frame;
    struct iv_val v = {0};
    const struct iv_cel_var var = {IV_STR("x"), &iv_cel_dyn, 0, 0};
    iv_cel_frame_init(&frame, 0);
    bool good = iv_ok(iv_cel_env_new(&env, NULL)) && iv_ok(iv_cel_env_extend(&child, env, NULL)) &&
                iv_ok(iv_cel_env_var(child, &var, NULL)) &&
                iv_ok(iv_cel_compile(&prog, child, iv_str_of(source), NULL, &diags, NULL)) &&
                iv_ok(iv_cel_run(prog, &frame, &v, NULL));
    bool right = !good || (v.kind == IV_KIND_BOOL && v.b);
    iv_cel_prog_free(prog);
    iv_cel_diags_deinit(&diags);
    iv_cel_frame_deinit(&frame);
    iv_cel_env_free(child);
    iv_cel_env_free(env);
    return !right ? WRONG : good ? DONE : REFUSED;
}

static int status_with_fault(int n)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%d", n);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        (void)setenv("IV_FAULT_ALLOC", text, 1);
        _exit(compile_and_run());
    }
    int status = 0;
    cr_assert(waitpid(child, &status, 0) == child);
    bool crashed = !WIFEXITED(status);
    cr_expect_not(crashed, "allocation %d: a crash", n);
    return crashed ? WRONG : WEXITSTATUS(status);
}

Test(cel_memory, may_end_at_any_allocation)
{
    int n = 1;
    int status = REFUSED;
    for (; status != DONE && n < 500; n++) {
        status = status_with_fault(n);
        cr_assert(status == DONE || status == REFUSED, "allocation %d: status %d", n, status);
    }
    cr_expect_eq(status, DONE);
    cr_expect_gt(n, 5, "the fault was never there");
}
