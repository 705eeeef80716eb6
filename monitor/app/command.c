/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FLAGS_MAX 64

static struct iv_str nearest_flag(const struct iv_command *command, struct iv_str name)
{
    struct iv_str names[FLAGS_MAX];
    IV_CHECK(command->flag_count < FLAGS_MAX);
    for (size_t i = 0; i < command->flag_count; i++) {
        names[i] = iv_str_of(command->flags[i].name);
    }
    names[command->flag_count] = IV_STR("help");
    for (size_t i = 0; name.n > 1 && i <= command->flag_count; i++) {
        if (names[i].n >= name.n && memcmp(names[i].p, name.p, name.n) == 0) {
            return names[i];
        }
    }
    return iv_str_nearest(name, names, command->flag_count + 1);
}

static iv_rc refuse_flag(const struct iv_command *command, struct iv_str name, struct iv_err *err)
{
    ENSURE(!iv_str_eq(name, IV_STR("help")), err, IV_E_REFUSED, "--help takes no value");
    struct iv_str near = nearest_flag(command, name);
    if (near.p == NULL) {
        return iv_err_set(err, IV_E_REFUSED, "there is no flag --" IV_STR_FMT "; see 'invigil %s --help'",
                          IV_STR_ARG(name), command->name);
    }
    return iv_err_set(err, IV_E_REFUSED, "there is no flag --" IV_STR_FMT "; did you mean --" IV_STR_FMT "?",
                      IV_STR_ARG(name), IV_STR_ARG(near));
}

static const struct iv_flag *find_flag(const struct iv_command *command, struct iv_str name)
{
    for (size_t i = 0; i < command->flag_count; i++) {
        if (iv_str_eq(iv_str_of(command->flags[i].name), name)) {
            return &command->flags[i];
        }
    }
    return NULL;
}

static iv_rc check_range(const struct iv_flag *flag, double value, const char *text, struct iv_err *err)
{
    bool bounded = flag->min != 0 || flag->max != 0;
    ENSURE(!bounded || (value >= flag->min && value <= flag->max), err, IV_E_REFUSED,
           flag->kind == IV_FLAG_INT ? "--%s must be between %.0f and %.0f, got '%s'"
                                     : "--%s must be between %g and %g, got '%s'",
           flag->name, flag->min, flag->max, text);
    return IV_OK;
}

static iv_rc read_number(char *member, const struct iv_flag *flag, const char *text, struct iv_err *err)
{
    char *end = NULL;
    errno = 0;
    if (flag->kind == IV_FLAG_INT) {
        int64_t value = strtoll(text, &end, 10);
        ENSURE(end != text && *end == '\0', err, IV_E_REFUSED, "--%s must be a whole number, got '%s'",
               flag->name, text);
        ENSURE(errno == 0, err, IV_E_REFUSED, "--%s must be a whole number of 63 bits and a sign, got '%s'",
               flag->name, text);
        TRY(check_range(flag, (double)value, text, err));
        memcpy(member, &value, sizeof value);
        return IV_OK;
    }
    double value = strtod(text, &end);
    ENSURE(errno == 0 && end != text && *end == '\0', err, IV_E_REFUSED, "--%s must be a number, got '%s'",
           flag->name, text);
    TRY(check_range(flag, value, text, err));
    memcpy(member, &value, sizeof value);
    return IV_OK;
}

static iv_rc add_word(struct iv_words *words, const char *text, struct iv_err *err)
{
    const char **items = iv_realloc(words->items, (words->count + 1) * sizeof *items);
    ENSURE(items != NULL, err, IV_E_NOMEM, "cannot allocate room for '%s'", text);
    items[words->count++] = text;
    words->items = items;
    return IV_OK;
}

static iv_rc read_value(char *args, const struct iv_flag *flag, const char *text, struct iv_err *err)
{
    char *member = args + flag->offset;
    switch (flag->kind) {
    case IV_FLAG_BOOL: {
        bool yes = true;
        memcpy(member, &yes, sizeof yes);
        return IV_OK;
    }
    case IV_FLAG_TEXT:
        memcpy(member, &text, sizeof text);
        return IV_OK;
    case IV_FLAG_LIST: {
        struct iv_words words;
        memcpy(&words, member, sizeof words);
        TRY(add_word(&words, text, err));
        memcpy(member, &words, sizeof words);
        return IV_OK;
    }
    case IV_FLAG_INT:
    case IV_FLAG_REAL:
        break;
    }
    return read_number(member, flag, text, err);
}

/* Reads the flag at argv[*at]: "--name", "--name value" or "--name=value"; moves *at to its last word. */
static iv_rc read_flag(char *args, const struct iv_command *command, int argc, char **argv, int *at,
                       uint64_t *given, struct iv_err *err)
{
    const char *word = argv[*at] + 2;
    const char *equals = strchr(word, '=');
    struct iv_str name = {word, equals == NULL ? strlen(word) : (size_t)(equals - word)};
    const struct iv_flag *flag = find_flag(command, name);
    if (flag == NULL) {
        return refuse_flag(command, name, err);
    }
    uint64_t bit = UINT64_C(1) << (flag - command->flags);
    ENSURE((*given & bit) == 0 || flag->kind == IV_FLAG_LIST, err, IV_E_REFUSED, "--%s stands twice",
           flag->name);
    *given |= bit;
    if (flag->kind == IV_FLAG_BOOL) {
        ENSURE(equals == NULL, err, IV_E_REFUSED, "--%s takes no value", flag->name);
        return read_value(args, flag, NULL, err);
    }
    if (equals == NULL) {
        ENSURE(*at + 1 < argc, err, IV_E_REFUSED, "--%s needs a value, %s", flag->name, flag->value);
        (*at)++;
    }
    return read_value(args, flag, equals == NULL ? argv[*at] : equals + 1, err);
}

/* "--name" or "--name=…"; "-1", "--1" and "-x > 3" do not. */
static bool looks_like_flag(const char *word)
{
    size_t n = strncmp(word, "--", 2) == 0 ? 2 : 0;
    size_t start = n;
    while (n > 0 && ((word[n] >= 'a' && word[n] <= 'z') || (n > start && word[n] == '-'))) {
        n++;
    }
    return n > start && (word[n] == '\0' || word[n] == '=');
}

/* Between the name of a command and its synopsis, where it has one. */
static const char *gap_before(const char *synopsis)
{
    return synopsis[0] == '\0' ? "" : " ";
}

static iv_rc read_words(char *args, struct iv_words *words, const struct iv_command *command, int argc,
                        char **argv, struct iv_err *err)
{
    uint64_t given = 0;
    bool flags_end = false;
    for (int i = 0; i < argc; i++) {
        if (!flags_end && strcmp(argv[i], "--") == 0) {
            flags_end = true;
        } else if (!flags_end && command->dashed_words && !looks_like_flag(argv[i])) {
            TRY(add_word(words, argv[i], err));
        } else if (!flags_end && strncmp(argv[i], "--", 2) == 0) {
            TRY(read_flag(args, command, argc, argv, &i, &given, err));
        } else {
            ENSURE(flags_end || argv[i][0] != '-' || argv[i][1] == '\0', err, IV_E_REFUSED,
                   "there is no flag %s; flags have two dashes, see 'invigil %s --help'", argv[i],
                   command->name);
            TRY(add_word(words, argv[i], err));
        }
    }
    for (size_t i = 0; i < command->flag_count; i++) {
        ENSURE(!command->flags[i].required || (given >> i & 1) != 0, err, IV_E_REFUSED, "--%s %s is required",
               command->flags[i].name, command->flags[i].value);
    }
    ENSURE(words->count >= command->min_words, err, IV_E_REFUSED, "too few words; usage: invigil %s %s",
           command->name, command->synopsis);
    ENSURE(words->count <= command->max_words, err, IV_E_REFUSED,
           "'%s' is one word too many; usage: invigil %s%s%s", words->items[words->count - 1], command->name,
           gap_before(command->synopsis), command->synopsis);
    return IV_OK;
}

void iv_command_print_help(const struct iv_command *command)
{
    printf("usage: invigil %s%s%s\n\n%s\n", command->name, gap_before(command->synopsis), command->synopsis,
           command->doc);
    if (command->details != NULL) {
        printf("\n%s\n", command->details);
    }
    if (command->part_count > 0) {
        printf("\n");
    }
    for (size_t i = 0; i < command->part_count; i++) {
        const struct iv_command *part = command->parts[i];
        printf("  invigil %s %s\n      %s\n", part->name, part->synopsis, part->doc);
    }
    if (command->flag_count > 0) {
        printf("\nflags:\n");
    }
    for (size_t i = 0; i < command->flag_count; i++) {
        const struct iv_flag *flag = &command->flags[i];
        char left[64];
        (void)snprintf(left, sizeof left, "--%s %s", flag->name, flag->value == NULL ? "" : flag->value);
        printf("  %-26s %s%s\n", left, flag->doc, flag->required ? " (required)" : "");
    }
}

static void free_args(char *args, struct iv_words *words, const struct iv_command *command)
{
    for (size_t i = 0; args != NULL && i < command->flag_count; i++) {
        if (command->flags[i].kind == IV_FLAG_LIST) {
            struct iv_words list;
            memcpy(&list, args + command->flags[i].offset, sizeof list);
            iv_free(list.items);
        }
    }
    iv_free(args);
    iv_free(words->items);
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int iv_exit_of(struct iv_rc_s rc)
{
    if (rc.code == IV_CODE_OK) {
        return IV_EXIT_DONE;
    }
    return rc.code == IV_E_REFUSED ? IV_EXIT_REFUSED : IV_EXIT_FAILED;
}

/* "verify" of "evidence verify". */
static const char *part_word(const struct iv_command *part)
{
    return strrchr(part->name, ' ') + 1;
}

const struct iv_command *iv_command_part(const struct iv_command *command, const char *word)
{
    for (size_t i = 0; i < command->part_count; i++) {
        if (strcmp(word, part_word(command->parts[i])) == 0) {
            return command->parts[i];
        }
    }
    return NULL;
}

static iv_rc refuse_part(const struct iv_command *command, const char *word, struct iv_err *err)
{
    struct iv_str names[8];
    size_t count = command->part_count < IV_COUNT(names) ? command->part_count : IV_COUNT(names);
    for (size_t i = 0; i < count; i++) {
        names[i] = iv_str_of(part_word(command->parts[i]));
    }
    struct iv_str near =
        word == NULL ? (struct iv_str){NULL, 0} : iv_str_nearest(iv_str_of(word), names, count);
    ENSURE(word != NULL, err, IV_E_REFUSED, "too few words; usage: invigil %s %s", command->name,
           command->synopsis);
    ENSURE(near.p == NULL, err, IV_E_REFUSED, "there is no '%s'; did you mean '" IV_STR_FMT "'?", word,
           IV_STR_ARG(near));
    return iv_err_set(err, IV_E_REFUSED, "there is no '%s'; usage: invigil %s %s", word, command->name,
                      command->synopsis);
}

static int part_main(const struct iv_command *command, int argc, char **argv)
{
    struct iv_err err = {.code = IV_CODE_OK, .text = ""};
    const struct iv_command *part = argc > 0 ? iv_command_part(command, argv[0]) : NULL;
    if (part != NULL) {
        return iv_command_main(part, argc - 1, argv + 1);
    }
    if (asks_for_help(argc, argv)) {
        iv_command_print_help(command);
        return IV_EXIT_DONE;
    }
    int status = iv_exit_of(refuse_part(command, argc > 0 ? argv[0] : NULL, &err));
    (void)fprintf(stderr, "invigil %s: %s\n", command->name, err.text);
    return status;
}

int iv_command_main(const struct iv_command *command, int argc, char **argv)
{
    if (command->part_count > 0) {
        return part_main(command, argc, argv);
    }
    if (asks_for_help(argc, argv)) {
        iv_command_print_help(command);
        return IV_EXIT_DONE;
    }
    struct iv_err err = {.code = IV_CODE_OK, .text = ""};
    struct iv_words words = {NULL, 0};
    char *args = iv_calloc(1, command->args_size);
    if (args != NULL && command->defaults != NULL) {
        memcpy(args, command->defaults, command->args_size);
    }
    struct iv_rc_s rc = args == NULL ? iv_err_set(&err, IV_E_NOMEM, "out of memory")
                                     : read_words(args, &words, command, argc, argv, &err);
    int status = iv_ok(rc) ? command->run(args, &words, &err) : iv_exit_of(rc);
    if ((status == IV_EXIT_FAILED || status == IV_EXIT_REFUSED) && err.text[0] != '\0') {
        (void)fprintf(stderr, "invigil %s: %s\n", command->name, err.text);
    }
    free_args(args, &words, command);
    return status;
}
