/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "base/guard.h"

#include <stdio.h>
#include <string.h>

static void overview(void)
{
    printf("invigil watches fleets of AI agents: it checks what they did against a compliance baseline.\n\n"
           "usage: invigil COMMAND [WORDS]\n\ncommands:\n");
    for (size_t i = 0; i < iv_command_count; i++) {
        printf("  %-10s %s\n", iv_commands[i]->name, iv_commands[i]->doc);
    }
    printf("\n'invigil help COMMAND' says more. Exit status: 0 done and nothing to report, 1 failed, 2 "
           "refused,\n"
           "3 done and violations, a broken proof or a miss were found.\n");
}

static const struct iv_command *find(const char *name)
{
    for (size_t i = 0; i < iv_command_count; i++) {
        if (strcmp(iv_commands[i]->name, name) == 0) {
            return iv_commands[i];
        }
    }
    return NULL;
}

static int help_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    (void)args;
    if (words->count == 0) {
        overview();
        return IV_EXIT_DONE;
    }
    const struct iv_command *command = find(words->items[0]);
    if (command == NULL) {
        return iv_exit_of(iv_command_refuse(words->items[0], err));
    }
    if (words->count == 1) {
        iv_command_print_help(command);
        return IV_EXIT_DONE;
    }
    const struct iv_command *part = iv_command_part(command, words->items[1]);
    if (part == NULL) {
        return iv_exit_of(iv_err_set(err, IV_E_REFUSED, "'%s' has no '%s'; see 'invigil help %s'",
                                     command->name, words->items[1], command->name));
    }
    iv_command_print_help(part);
    return IV_EXIT_DONE;
}

const struct iv_command iv_command_help = {
    .name = "help",
    .synopsis = "[COMMAND]",
    .doc = "Says what the program or one of its commands does.",
    .args_size = 0,
    .max_words = 2,
    .run = help_run,
};
