/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_local.h"
#include "base/guard.h"

#include <unistd.h>

#define TIMEOUT_DEFAULT (10 * IV_NS_PER_S)
#define TIMEOUT_MIN (10 * IV_NS_PER_MS)
#define TIMEOUT_MAX (300 * IV_NS_PER_S)
#define OUTPUT_DEFAULT 2048
#define OUTPUT_MAX 65536
#define ARGUMENTS_MAX 64

struct reading {
    struct iv_arena *arena;
    struct iv_problems *problems;
    bool responds; /* it would be this process's hand that runs the commands */
};

static void read_text(struct iv_str *out, struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_str text = {NULL, 0};
    if (node != NULL && iv_yaml_string(&text, node, r->problems)) {
        *out = iv_arena_str(r->arena, text);
    }
}

static void read_path(struct iv_str *out, struct reading *r, const struct iv_yaml_node *node)
{
    read_text(out, r, node);
    if (out->p != NULL && (out->n == 0 || out->p[0] != '/')) {
        iv_yaml_error(r->problems, node, "must be an absolute path, got '" IV_STR_FMT "'", IV_STR_ARG(*out));
    }
}

static void read_arguments(struct iv_hand_command *c, struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_yaml_items items;
    if (node == NULL || !iv_yaml_list(&items, node, r->problems)) {
        return;
    }
    struct iv_str *arguments = iv_arena_zalloc(r->arena, (items.count + 1) * sizeof *arguments);
    if (items.count > ARGUMENTS_MAX) {
        iv_yaml_error(r->problems, node, "a command has %d arguments at most", ARGUMENTS_MAX);
        return;
    }
    for (size_t i = 0; arguments != NULL && i < items.count; i++) {
        read_text(&arguments[c->argument_count++], r, iv_yaml_item(&items, i));
    }
    c->arguments = arguments;
}

static void read_command(struct iv_hand_command *c, struct reading *r, const struct iv_yaml_pair *pair)
{
    struct iv_yaml_map map;
    *c = (struct iv_hand_command){.timeout = TIMEOUT_DEFAULT, .output = OUTPUT_DEFAULT};
    c->name = iv_arena_str(r->arena, pair->key->text);
    iv_yaml_open(&map, pair->value, "command", r->problems);
    read_path(&c->path, r, iv_yaml_need(&map, "path"));
    read_arguments(c, r, iv_yaml_get(&map, "arguments"));
    read_text(&c->user, r, iv_yaml_get(&map, "user"));
    if (r->responds && c->user.p == NULL && geteuid() == 0) {
        iv_yaml_error(r->problems, pair->key,
                      "the command '" IV_STR_FMT
                      "' needs a user: root starts this, and would run it as root; "
                      "'user: root' says so where that is meant",
                      IV_STR_ARG(c->name));
    }
    const struct iv_yaml_node *timeout = iv_yaml_get(&map, "timeout");
    if (timeout != NULL && iv_yaml_duration(&c->timeout, timeout, r->problems) &&
        (c->timeout < TIMEOUT_MIN || c->timeout > TIMEOUT_MAX)) {
        iv_yaml_error(r->problems, timeout, "must be between 10ms and 5m");
    }
    const struct iv_yaml_node *output = iv_yaml_get(&map, "output");
    (void)(output != NULL && iv_yaml_int(&c->output, output, 0, OUTPUT_MAX, r->problems));
    iv_yaml_close(&map);
}

static void read_commands(struct iv_hand_options *out, struct reading *r, const struct iv_yaml_node *node)
{
    if (node == NULL) {
        return;
    }
    if (node->kind != IV_YAML_MAP) {
        iv_yaml_error(r->problems, node, "commands must be a mapping from names to commands, got a %s",
                      iv_yaml_what(node));
        return;
    }
    struct iv_hand_command *commands = iv_arena_zalloc(r->arena, (node->count + 1) * sizeof *commands);
    for (size_t i = 0; commands != NULL && i < node->count; i++) {
        read_command(&commands[out->command_count++], r, &node->pairs[i]);
    }
    out->commands = commands;
}

static void read_runtime(struct iv_hand_options *out, struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    if (node != NULL) {
        iv_yaml_open(&map, node, "oci", r->problems);
        read_path(&out->runtime, r, iv_yaml_need(&map, "runtime"));
        read_path(&out->containers, r, iv_yaml_get(&map, "root"));
        iv_yaml_close(&map);
    }
}

void iv_config_read_local(struct iv_hand_options *out, struct iv_arena *arena,
                          const struct iv_yaml_node *node, bool responds, struct iv_problems *problems)
{
    struct reading r = {arena, problems, responds};
    struct iv_yaml_map map;
    struct iv_err why = {.text = ""};
    if (node == NULL) {
        return;
    }
    iv_yaml_open(&map, node, "local", problems);
    read_commands(out, &r, iv_yaml_get(&map, "commands"));
    read_path(&out->cgroups, &r, iv_yaml_get(&map, "cgroups"));
    read_runtime(out, &r, iv_yaml_get(&map, "oci"));
    read_path(&out->sockets, &r, iv_yaml_get(&map, "firecracker"));
    iv_yaml_close(&map);
    if (!iv_ok(iv_hand_check(out, &why))) {
        iv_yaml_error(problems, node, "%s", why.text);
    }
}
