/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"

#include <stdio.h>

static int version_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    (void)args;
    (void)words;
    (void)err;
    printf("invigil %s\n", IV_VERSION);
    return IV_EXIT_DONE;
}

const struct iv_command iv_command_version = {
    .name = "version",
    .synopsis = "",
    .doc = "Prints the program's version.",
    .run = version_run,
};
