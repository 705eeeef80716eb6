/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char wanted[64];
static bool planted;
static atomic_long passes_left;

static void read_environment(void)
{
    const char *text = getenv("IV_FAULT_AT");
    if (text == NULL || strlen(text) >= sizeof wanted) {
        return;
    }
    memcpy(wanted, text, strlen(text) + 1);
    char *colon = strchr(wanted, ':');
    long count = 1;
    if (colon != NULL) {
        *colon = '\0';
        count = strtol(colon + 1, NULL, 10);
    }
    atomic_store(&passes_left, count);
    planted = true;
}

void iv_fault(const char *name)
{
    (void)pthread_once(&once, read_environment);
    if (planted && strcmp(name, wanted) == 0 && atomic_fetch_sub(&passes_left, 1) == 1) {
        (void)kill(getpid(), SIGKILL);
        for (;;) {
            (void)pause();
        }
    }
}
