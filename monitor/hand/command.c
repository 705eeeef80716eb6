/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of the configuration's table. */
#include "hand/process.h"

#include "base/clock.h"
#include "base/guard.h"

#include <string.h>

#define ARGUMENTS_MAX 64
#define ARGUMENT_MAX_BYTES 4096
#define ARGUMENTS_MAX_BYTES (64u << 10)

static const struct iv_hand_command *command_of(const struct iv_job *job)
{
    for (size_t i = 0; job->count > 0 && i < job->options->command_count; i++) {
        if (iv_str_eq(job->options->commands[i].name, job->words[0])) {
            return &job->options->commands[i];
        }
    }
    return NULL;
}

/* p NULL: the order has no value of that name. */
static struct iv_str value_of(const struct iv_job *job, struct iv_str name)
{
    for (size_t i = 1; i + 1 < job->count; i += 2) {
        if (iv_str_eq(job->words[i], name)) {
            return job->words[i + 1];
        }
    }
    return (struct iv_str){NULL, 0};
}

/* Of an argument with a "/" of its own: what stands in for a part of a path must lead nowhere else. */
static bool is_name(struct iv_str value)
{
    return value.n > 0 && memchr(value.p, '/', value.n) == NULL && !iv_str_eq(value, IV_STR(".")) &&
           !iv_str_eq(value, IV_STR(".."));
}

/* What came from an event must be an operand, and no option of the program's; in a path one name. */
static bool add_value(struct iv_job *job, struct iv_buf *out, size_t begin, bool path, struct iv_str name)
{
    struct iv_str value = value_of(job, name);
    if (value.p == NULL) {
        IV_JOB_END(job, IV_HAND_FAILED, "the step gives no value '" IV_STR_FMT "'", IV_STR_ARG(name));
        return false;
    }
    if (value.n > ARGUMENT_MAX_BYTES || memchr(value.p, '\0', value.n) != NULL ||
        (out->n == begin && value.n > 0 && value.p[0] == '-')) {
        IV_JOB_END(job, IV_HAND_FAILED,
                   "the value '" IV_STR_FMT "' cannot be an argument: it begins with '-', holds a NUL or is "
                   "longer than %d bytes",
                   IV_STR_ARG(name), ARGUMENT_MAX_BYTES);
        return false;
    }
    if (path && !is_name(value)) {
        IV_JOB_END(job, IV_HAND_FAILED,
                   "the value '" IV_STR_FMT
                   "' cannot be part of a path: it is empty, '.', '..', or has a '/'",
                   IV_STR_ARG(name));
        return false;
    }
    iv_buf_str(out, value);
    return true;
}

static bool add_argument(struct iv_job *job, struct iv_buf *out, struct iv_str text)
{
    size_t begin = out->n;
    const bool path = memchr(text.p, '/', text.n) != NULL;
    while (text.n > 0) {
        const char *open = memmem(text.p, text.n, "{{", 2);
        const char *close = open == NULL ? NULL : memmem(open, text.n - (size_t)(open - text.p), "}}", 2);
        if (close == NULL) {
            iv_buf_str(out, text);
            break;
        }
        iv_buf_add(out, text.p, (size_t)(open - text.p));
        if (!add_value(job, out, begin, path, (struct iv_str){open + 2, (size_t)(close - open) - 2})) {
            return false;
        }
        text.n -= (size_t)(close + 2 - text.p);
        text.p = close + 2;
    }
    iv_buf_char(out, '\0');
    return true;
}

static bool add_arguments(struct iv_job *job, struct iv_buf *out, const struct iv_hand_command *command)
{
    iv_buf_str(out, command->path);
    iv_buf_char(out, '\0');
    for (size_t i = 0; i < command->argument_count; i++) {
        if (!add_argument(job, out, command->arguments[i])) {
            return false;
        }
    }
    if (iv_buf_failed(out) || command->argument_count > ARGUMENTS_MAX) {
        IV_JOB_END(job, IV_HAND_FAILED, "the arguments of '" IV_STR_FMT "' are too many or too long",
                   IV_STR_ARG(command->name));
        return false;
    }
    return true;
}

static void run(struct iv_job *job, const struct iv_hand_command *command, const char *text,
                const struct iv_identity *become)
{
    const char *words[ARGUMENTS_MAX + 2];
    struct iv_clock clock = iv_clock_system();
    iv_ns latest = iv_ns_add(iv_monotonic(&clock), command->timeout);
    for (size_t i = 0; i <= command->argument_count; i++) {
        words[i] = text;
        text += strlen(text) + 1;
    }
    words[command->argument_count + 1] = NULL;
    job->deadline = job->deadline < latest ? job->deadline : latest;
    if (iv_program_run(job, words, become, (size_t)command->output) && job->status != 0) {
        IV_JOB_END(job, IV_HAND_FAILED, "the command '" IV_STR_FMT "' exited with status %d",
                   IV_STR_ARG(command->name), job->status);
    }
}

void iv_job_run(struct iv_job *job)
{
    const struct iv_hand_command *command = command_of(job);
    struct iv_identity user;
    struct iv_err why = {.text = ""};
    if (command == NULL) {
        IV_JOB_END(job, IV_HAND_UNSUPPORTED, "the configuration has no command of this name");
        return;
    }
    bool other = command->user.p != NULL;
    if (other && !iv_ok(iv_identity_find(&user, command->user, (struct iv_str){NULL, 0}, &why))) {
        IV_JOB_END(job, IV_HAND_FAILED, "%.400s", why.text);
        return;
    }
    struct iv_buf text;
    iv_buf_init(&text, ARGUMENTS_MAX_BYTES);
    if (add_arguments(job, &text, command)) {
        run(job, command, text.p, other ? &user : NULL);
    }
    iv_buf_deinit(&text);
}
