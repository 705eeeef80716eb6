/* SPDX-License-Identifier: Apache-2.0 */
/* A hook behind TLS is called only where its certificate is of the endpoint's authority and for its name. */
#include "base/guard.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP                                                                                                 \
    "- name: one\n"                                                                                          \
    "  http: {endpoint: hook, path: /x, body: {}}\n"                                                         \
    "  timeout: 5s\n"                                                                                        \
    "  retry: {attempts: 2, backoff: 1ms}\n"

struct tls_hook {
    pid_t pid;
    int input;
    unsigned port;
};

static struct tls_hook tls_hook_start(const char *folder, const char *name)
{
    struct tls_hook hook;
    int in[2];
    int out[2];
    cr_assert(pipe(in) == 0 && pipe(out) == 0);
    hook.pid = fork();
    cr_assert(hook.pid >= 0);
    if (hook.pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(in[1]);
        (void)execl(IV_SOURCE_DIR "/tests/support/tls_hook", "tls_hook", folder, name, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    hook.input = in[1];
    FILE *answer = fdopen(out[0], "r");
    cr_assert(answer != NULL && fscanf(answer, "%u", &hook.port) == 1, "the hook does not start");
    (void)fclose(answer);
    return hook;
}

static void tls_hook_stop(struct tls_hook *hook)
{
    (void)close(hook->input);
    (void)waitpid(hook->pid, NULL, 0);
}

static struct iv_step call(const struct tls_hook *hook, const char *ca_file)
{
    static struct stage s; /* the step's texts outlive it */
    stage_init(&s, STEP);
    stage_find(&s);
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u", hook->port);
    s.endpoint.ca_file = iv_str_of(ca_file);
    stage_respond(&s, url);
    stage_run(&s, true);
    struct iv_step step = stage_step(&s, 0);
    stage_deinit(&s);
    return step;
}

Test(tls, takes_a_certificate_of_the_endpoints_authority_and_no_other)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(tls_hook_stop) struct tls_hook hook = tls_hook_start(dir.path, "IP:127.0.0.1");
    char ca[128];
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", dir.path);

    cr_expect(call(&hook, ca).state == IV_STEP_DONE);
    struct iv_step step = call(&hook, NULL);
    cr_expect(step.state == IV_STEP_FAILED && step.attempt == 2);
    cr_expect(strstr(step.cause.p, "certificate") != NULL, "%s", step.cause.p);
    step = call(&hook, "/nonexistent/ca.pem");
    cr_expect(step.state == IV_STEP_FAILED && step.attempt == 1, "it could not get better");
}

Test(tls, refuses_a_certificate_for_another_name)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(tls_hook_stop) struct tls_hook hook = tls_hook_start(dir.path, "DNS:other.example");
    char ca[128];
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", dir.path);

    struct iv_step step = call(&hook, ca);

    cr_expect(step.state == IV_STEP_FAILED, "%s", iv_step_state_name(step.state));
    cr_expect(strstr(step.cause.p, "127.0.0.1") != NULL, "%s", step.cause.p);
}
