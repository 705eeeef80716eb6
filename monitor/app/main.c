/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "base/guard.h"
#include "base/str.h"

#include <signal.h>
#include <stdio.h>

#define COMMAND(name) extern const struct iv_command iv_command_##name;
#include "app/commands.def"
#undef COMMAND

const struct iv_command *const iv_commands[] = {
#define COMMAND(name) &iv_command_##name,
#include "app/commands.def"
#undef COMMAND
};
const size_t iv_command_count = IV_COUNT(iv_commands);

iv_rc iv_command_refuse(const char *name, struct iv_err *err)
{
    struct iv_str names[IV_COUNT(iv_commands)];
    for (size_t i = 0; i < IV_COUNT(iv_commands); i++) {
        names[i] = iv_str_of(iv_commands[i]->name);
    }
    struct iv_str near = iv_str_nearest(iv_str_of(name), names, IV_COUNT(names));
    if (near.p == NULL) {
        return iv_err_set(err, IV_E_REFUSED, "there is no command '%s'; see 'invigil help'", name);
    }
    return iv_err_set(err, IV_E_REFUSED, "there is no command '%s'; did you mean '" IV_STR_FMT "'?", name,
                      IV_STR_ARG(near));
}

static const struct {
    const char *word;
    const char *command;
} aliases[] = {{"--help", "help"}, {"-h", "help"}, {"--version", "version"}, {"-V", "version"}};

int main(int argc, char **argv)
{
    /* A reader that goes away is an error of the write, told like any other. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        (void)fprintf(stderr, "usage: invigil COMMAND [WORDS]; see 'invigil help'\n");
        return IV_EXIT_REFUSED;
    }
    const char *name = argv[1];
    for (size_t i = 0; i < IV_COUNT(aliases); i++) {
        name = strcmp(name, aliases[i].word) == 0 ? aliases[i].command : name;
    }
    for (size_t i = 0; i < IV_COUNT(iv_commands); i++) {
        if (strcmp(iv_commands[i]->name, name) == 0) {
            int status = iv_command_main(iv_commands[i], argc - 2, argv + 2);
            if (fflush(stdout) != 0 && status == IV_EXIT_DONE) {
                (void)fprintf(stderr, "invigil %s: cannot write to standard output\n", name);
                return IV_EXIT_FAILED;
            }
            return status;
        }
    }
    struct iv_err err;
    int status = iv_exit_of(iv_command_refuse(name, &err));
    (void)fprintf(stderr, "invigil: %s\n", err.text);
    return status;
}
