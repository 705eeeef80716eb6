/* SPDX-License-Identifier: Apache-2.0 */
/* A name service that hangs holds up nothing but the calls that wait for it. */
#include "base/clock.h"
#include "base/guard.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>

#define STEP                                                                                                 \
    "- name: one\n"                                                                                          \
    "  http: {endpoint: hook, path: /x}\n"                                                                   \
    "  timeout: 100ms\n"                                                                                     \
    "  retry: {attempts: 1}\n"
#define HANG_MOST (60 * IV_NS_PER_S)

static atomic_bool released;
static atomic_int ended;

/* In the place of the C library's, for libcurl too. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    struct iv_clock clock = iv_clock_system();
    iv_ns until = iv_monotonic(&clock) + HANG_MOST;
    if (node != NULL && strcmp(node, "slow.example.org") == 0) {
        while (!atomic_load(&released) && iv_monotonic(&clock) < until) {
            iv_pause(IV_NS_PER_MS);
        }
        atomic_fetch_add(&ended, 1);
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, out);
}

Test(resolver, that_hangs_is_not_waited_for_beyond_the_steps_time)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    s.endpoint.allow_http = true;
    stage_find(&s);
    stage_respond(&s, "http://slow.example.org:1");

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_FAILED && strstr(step.cause.p, "did not answer within 100 ms") != NULL,
              "%s", step.cause.p);
    cr_expect(atomic_load(&ended) == 0, "it was waited for");
    atomic_store(&released, true);
    while (atomic_load(&ended) == 0) {
        iv_pause(IV_NS_PER_MS);
    }
}
