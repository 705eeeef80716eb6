/* SPDX-License-Identifier: Apache-2.0 */
/* How a command of the program is described, and how its words are read.
 * Purpose: one table gives parsing, --help and the hint at a misspelled flag. A new command is a new file
 * with a descriptor, and a line in commands.def.
 * Owner/thread: the main thread.
 * Source: contract "Interfaces", command line. */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* Contract: 0 done and nothing to report, 1 failed, 2 refused, 3 done and something was found. */
enum iv_exit { IV_EXIT_DONE = 0, IV_EXIT_FAILED = 1, IV_EXIT_REFUSED = 2, IV_EXIT_FOUND = 3 };

enum iv_flag_kind {
    IV_FLAG_BOOL, /* bool */
    IV_FLAG_TEXT, /* const char *, NULL unless given */
    IV_FLAG_INT,  /* int64_t; keeps what the command's defaults hold unless given */
    IV_FLAG_REAL, /* double; likewise */
    IV_FLAG_LIST, /* struct iv_words: may be given several times */
};

struct iv_words {
    const char **items;
    size_t count;
};

struct iv_flag {
    const char *name; /* without the dashes */
    enum iv_flag_kind kind;
    const char *value; /* the value's name in help: "FILE" */
    size_t offset;     /* of the member in the command's struct */
    bool required;
    double min; /* INT, REAL; both 0: any */
    double max;
    const char *doc;
};

struct iv_command {
    const char *name;     /* of a part "evidence verify" */
    const char *synopsis; /* behind the name: "[BASELINE] [--test]" */
    const char *doc;      /* a line for the overview */
    const char *details;  /* more for --help; may be NULL */
    const struct iv_flag *flags;
    size_t flag_count;
    size_t args_size;     /* of the struct that flags are read into */
    const void *defaults; /* an instance of it; NULL: zeros */
    size_t min_words;     /* positional words */
    size_t max_words;
    bool dashed_words; /* a word may begin with a dash, unless it looks like a flag: an expression does */
    /* Answers an enum iv_exit. On IV_EXIT_FAILED or IV_EXIT_REFUSED the sentence is in err (printed by main
     * as "invigil NAME: …"), or err->text is empty when the command has said it all itself. */
    int (*run)(const void *args, const struct iv_words *words, struct iv_err *err);
    /* Instead of all but name, synopsis, doc and details: the first word says which of these is meant. */
    const struct iv_command *const *parts;
    size_t part_count;
};

/* Reads the words behind the command's name and runs it; prints help and usage errors itself. */
int iv_command_main(const struct iv_command *command, int argc, char **argv);
/* Prints what `invigil NAME --help` says. */
void iv_command_print_help(const struct iv_command *command);

/* The part of a command that this word stands for; NULL: there is none, or the command has no parts. */
const struct iv_command *iv_command_part(const struct iv_command *command, const char *word);

/* The exit status that an error of this code stands for: 2 for what was refused, 1 for the rest. */
int iv_exit_of(struct iv_rc_s rc);

/* Refuses a command that there is not, with the name of the nearest one. */
iv_rc iv_command_refuse(const char *name, struct iv_err *err);

/* All commands, in the order of commands.def. */
extern const struct iv_command *const iv_commands[];
extern const size_t iv_command_count;
