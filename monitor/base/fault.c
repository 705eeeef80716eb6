/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#ifdef IV_FAULT_POINTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char wanted[64];
static bool planted;
static atomic_long passes_left;
static const char *clock_file;

static void read_environment(void)
{
    clock_file = getenv("IV_FAULT_CLOCK");
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

iv_ns iv_fault_clock(void)
{
    (void)pthread_once(&once, read_environment);
    char text[32] = "";
    FILE *file = clock_file == NULL ? NULL : fopen(clock_file, "re");
    if (file != NULL) {
        (void)fgets(text, sizeof text, file);
        (void)fclose(file);
    }
    return strtoll(text, NULL, 10) * IV_NS_PER_S;
}

#endif
