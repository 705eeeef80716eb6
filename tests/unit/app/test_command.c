/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <string.h>

struct tried {
    bool quick;
    const char *out;
    int64_t seed;
    double share;
    struct iv_words files;
};

static const struct iv_flag flags[] = {
    {.name = "quick", .kind = IV_FLAG_BOOL, .offset = offsetof(struct tried, quick), .doc = "Fast."},
    {.name = "out",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = offsetof(struct tried, out),
     .required = true,
     .doc = "Where to."},
    {.name = "seed",
     .kind = IV_FLAG_INT,
     .value = "N",
     .offset = offsetof(struct tried, seed),
     .min = 1,
     .max = 9,
     .doc = "Chance."},
    {.name = "share",
     .kind = IV_FLAG_REAL,
     .value = "X",
     .offset = offsetof(struct tried, share),
     .doc = "Part."},
    {.name = "file",
     .kind = IV_FLAG_LIST,
     .value = "F",
     .offset = offsetof(struct tried, files),
     .doc = "Input."},
};
static const struct tried defaults = {.seed = 5, .share = 0.5};

/* Shows what it was given. */
static int run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    const struct tried *t = args;
    (void)err;
    printf("%d %s %d %.2f files", t->quick, t->out, (int)t->seed, t->share);
    for (size_t i = 0; i < t->files.count; i++) {
        printf(" %s", t->files.items[i]);
    }
    printf(" words");
    for (size_t i = 0; i < words->count; i++) {
        printf(" %s", words->items[i]);
    }
    printf("\n");
    (void)fflush(stdout);
    return IV_EXIT_FOUND;
}

static const struct iv_command command = {.name = "try",
                                          .synopsis = "[WORD]",
                                          .doc = "Tries.",
                                          .flags = flags,
                                          .flag_count = IV_COUNT(flags),
                                          .args_size = sizeof(struct tried),
                                          .defaults = &defaults,
                                          .max_words = 1,
                                          .run = run};

/* The words of a line, parted by spaces. */
static int try(const char *line)
{
    char text[128];
    char *words[16];
    int count = 0;
    (void)snprintf(text, sizeof text, "%s", line);
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        words[count++] = word;
    }
    return iv_command_main(&command, count, words);
}

Test(command, words_and_flags_are_read_in_every_documented_form, .init = cr_redirect_stdout)
{
    cr_expect(eq(int, try("--out a"), IV_EXIT_FOUND));
    cr_expect(eq(int, try("w --out=a --quick --seed 9 --share=1.25"), IV_EXIT_FOUND));
    cr_expect(eq(int, try("--file x --out a --file=y -- --quick"), IV_EXIT_FOUND));

    cr_assert_stdout_eq_str("0 a 5 0.50 files words\n"
                            "1 a 9 1.25 files words w\n"
                            "0 a 5 0.50 files x y words --quick\n");
}

Test(command, a_mistake_is_refused_and_named, .init = cr_redirect_stderr)
{
    static const struct {
        const char *line;
        const char *want;
    } rows[] = {
        {"", "--out FILE is required"},
        {"--out", "--out needs a value, FILE"},
        {"--out a --out b", "--out stands twice"},
        {"--out a --quick=yes", "--quick takes no value"},
        {"--out a --help=1", "--help takes no value"},
        {"--out a --qu", "there is no flag --qu; did you mean --quick?"},
        {"--out a --seed x", "--seed must be a whole number, got 'x'"},
        {"--out a --seed 10", "--seed must be between 1 and 9, got '10'"},
        {"--out a --seed 99999999999999999999",
         "--seed must be a whole number of 63 bits and a sign, got '99999999999999999999'"},
        {"--out a --share x", "--share must be a number, got 'x'"},
        {"--out a b c", "'c' is one word too many; usage: invigil try [WORD]"},
        {"-q", "there is no flag -q; flags have two dashes, see 'invigil try --help'"},
    };
    char want[1024] = "";
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect(eq(int, try(rows[i].line), IV_EXIT_REFUSED), "line '%s'", rows[i].line);
        size_t n = strlen(want);
        (void)snprintf(want + n, sizeof want - n, "invigil try: %s\n", rows[i].want);
    }

    (void)fflush(stderr);
    cr_assert_stderr_eq_str(want);
}

Test(command, a_number_out_of_its_range_is_refused, .init = cr_redirect_stderr)
{
    cr_expect(eq(int, try("--out a --seed 0"), IV_EXIT_REFUSED));
    cr_expect(eq(int, try("--out a --seed 10"), IV_EXIT_REFUSED));
    cr_expect(eq(int, try("--out a --seed 99999999999999999999"), IV_EXIT_REFUSED));
}

Test(command, only_what_was_refused_exits_with_2)
{
    cr_expect(eq(int, iv_exit_of((struct iv_rc_s){IV_CODE_OK}), 0));
    cr_expect(eq(int, iv_exit_of((struct iv_rc_s){IV_E_REFUSED}), 2));
    cr_expect(eq(int, iv_exit_of((struct iv_rc_s){IV_E_IO}), 1));
}
