/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/signals.h"
#include "base/guard.h"

#include <pthread.h>
#include <time.h>

static sigset_t taken(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

void iv_signals_block(void)
{
    sigset_t set = taken();
    IV_CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

int iv_signals_wait(iv_ns wait)
{
    sigset_t set = taken();
    struct timespec t = {.tv_sec = (time_t)(wait / IV_NS_PER_S), .tv_nsec = (long)(wait % IV_NS_PER_S)};
    int signal = sigtimedwait(&set, NULL, &t);
    return signal < 0 ? 0 : signal;
}
