/* SPDX-License-Identifier: Apache-2.0 */
/* Any folder is refused with places, or is a baseline under which an engine can be made.
 * Input: baseline.yaml, and behind each line "%%%% NAME" the further file NAME (pack.yaml, playbook.yaml,
 * baseline.sig). Files elsewhere are out of reach. */
#include "target.h"

#include "baseline/baseline.h"
#include "baseline/yaml.h"
#include "cel/cel.h"
#include "engine/engine.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX (64u << 20)

static const char *const names[] = {"baseline.yaml", "pack.yaml", "playbook.yaml", "baseline.sig"};
static char folder[] = "/tmp/invigil-fuzz-XXXXXX";
static struct iv_buf text;

int __real_glob(const char *pattern, int flags, int (*errfunc)(const char *path, int no), glob_t *out);
int __wrap_glob(const char *pattern, int flags, int (*errfunc)(const char *path, int no), glob_t *out);

int __wrap_glob(const char *pattern, int flags, int (*errfunc)(const char *path, int no), glob_t *out)
{
    bool inside = strncmp(pattern, folder, sizeof folder - 1) == 0 && strstr(pattern, "..") == NULL;
    return inside ? __real_glob(pattern, flags, errfunc, out) : GLOB_NOMATCH;
}

static void path_of(char *out, size_t room, size_t file)
{
    (void)snprintf(out, room, "%s/%s", folder, names[file]);
}

static void remove_file(size_t file)
{
    char path[64];
    path_of(path, sizeof path, file);
    (void)unlink(path);
}

static void clean_up(void)
{
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        remove_file(i);
    }
    (void)rmdir(folder);
}

static void put_file(size_t file, struct iv_str content)
{
    char path[64];
    path_of(path, sizeof path, file);
    FILE *out = fopen(path, "wb");
    IV_CHECK(out != NULL && fwrite(content.p, 1, content.n, out) == content.n && fclose(out) == 0);
}

/* The file that the line names, 0 if it names none. */
static size_t named(struct iv_str line)
{
    for (size_t i = 1; i < IV_COUNT(names); i++) {
        if (line.n == 5 + strlen(names[i]) && memcmp(line.p, "%%%% ", 5) == 0 &&
            memcmp(line.p + 5, names[i], line.n - 5) == 0) {
            return i;
        }
    }
    return 0;
}

static void put_files(struct iv_str rest)
{
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        remove_file(i);
    }
    size_t file = 0;
    struct iv_str content = {rest.p, 0};
    while (rest.n > 0) {
        struct iv_str line = take_line(&rest);
        size_t next = named(line);
        if (next != 0) {
            put_file(file, content);
            file = next;
            content = (struct iv_str){rest.p, 0};
        } else {
            content.n = (size_t)(rest.p - content.p);
        }
    }
    put_file(file, content);
}

static void dump(const struct iv_baseline *baseline)
{
    iv_buf_clear(&text);
    for (size_t i = 0; i < baseline->rule_count; i++) {
        const struct iv_rule *rule = baseline->rules[i];
        IV_CHECK(rule->index == i && iv_baseline_rule(baseline, rule->id) == rule);
        if (rule->where != NULL) {
            iv_cel_prog_dump(&text, rule->where);
        }
        if (rule->condition != NULL) {
            iv_cel_prog_dump(&text, rule->condition);
        }
    }
}

static void runs(struct iv_baseline *baseline)
{
    struct iv_engine *engine = NULL;
    const struct iv_engine_options options = {.hash_key = {1, 2}};
    struct iv_err err;
    IV_CHECK(iv_ok(iv_engine_new(&engine, baseline, &options, &err)));
    IV_CHECK(iv_ok(iv_engine_open(engine, IV_TELEMETRY, 0, &err)));
    IV_CHECK(iv_ok(iv_engine_finish(engine, &err)));
    iv_engine_free(engine);
}

static void loads(void)
{
    struct iv_problems *problems = NULL;
    struct iv_baseline *baseline = NULL;
    struct iv_err err;
    IV_CHECK(iv_ok(iv_problems_new(&problems, &err)));
    struct iv_rc_s rc = iv_baseline_load(&baseline, iv_str_of(folder), problems, &err);
    iv_buf_clear(&text);
    iv_problems_render(&text, problems);
    IV_CHECK(!iv_buf_failed(&text));
    IV_CHECK(iv_ok(rc) == (iv_problems_errors(problems) == 0));
    IV_CHECK(iv_ok(rc) || (rc.code == IV_E_REFUSED && err.text[0] != '\0'));
    if (iv_ok(rc)) {
        dump(baseline);
        runs(baseline);
    }
    iv_baseline_unref(baseline);
    iv_problems_free(problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (text.max == 0) {
        iv_buf_init(&text, TEXT_MAX);
        IV_CHECK(mkdtemp(folder) != NULL);
        (void)atexit(clean_up);
    }
    put_files(input_of(data, size));
    loads();
    return 0;
}
