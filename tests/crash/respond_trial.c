/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/* The part of the monitor that acts, without the rest, in a world that the words make. Run by
 * tests/crash/respond, which has it killed (IV_FAULT_AT) and starts it again with the same words:
 *
 *   respond_trial STORE HOOK_URL FOLDER PLAYBOOK,… WORD…
 *
 *   hand                  the first word: FOLDER/note and FOLDER/runtime may be started
 *   people                there are keys that may approve, from here on
 *   alerts                somebody is told of them
 *   absence               findings rest on what was not seen, from here on
 *   dry-run               the responder is a dry run
 *   stale, fresh          what the streams are
 *   silent                the streams prove nothing yet
 *   find:FROM-TO[:TOKEN[:PLAYBOOK]]
 *                         findings of these numbers; "-TO" may be left out, TOKEN "*" makes one of each number
 *   approve:WHO, deny:WHO what waits
 *   close                 the findings that executions answer
 *   undo, pause, resume
 *   pass:SECONDS          time passes
 *   turn:N                so many turns
 *   rest[:SECONDS]        until nothing is left to do but what is due later than in so long [600 s] */
/* clang-format on */
#include "base/guard.h"
#include "trial_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REST_WITHIN 600

static const char *after_colon(const char *word)
{
    const char *colon = strchr(word, ':');
    return colon == NULL ? NULL : colon + 1;
}

static bool begins(const char *word, const char *with)
{
    size_t n = strlen(with);
    return strncmp(word, with, n) == 0 && (word[n] == '\0' || word[n] == ':');
}

static void find(struct scene *s, const char *of)
{
    char *end = NULL;
    char token[64];
    unsigned long from = strtoul(of, &end, 10);
    unsigned long to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
    const char *which = after_colon(end);
    const char *playbook = which == NULL ? NULL : after_colon(which);
    for (unsigned long n = from; n <= to; n++) {
        if (which != NULL && which[0] == '*') {
            (void)snprintf(token, sizeof token, "t-%lu", n);
        } else if (which != NULL) {
            (void)snprintf(token, sizeof token, "%.*s", (int)strcspn(which, ":"), which);
        }
        scene_find(s, (unsigned)n, which == NULL ? NULL : token, playbook);
    }
}

static void lend_hand(struct scene *s, const char *folder)
{
    static char note[SCENE_PATH];
    static char runtime[SCENE_PATH];
    static struct iv_str value = IV_STR_INIT("{{key}}");
    struct iv_err err = {.text = ""};
    (void)snprintf(note, sizeof note, "%s/note", folder);
    (void)snprintf(runtime, sizeof runtime, "%s/runtime", folder);
    const struct iv_hand_command command = {IV_STR("note"), iv_str_of(note),  &value, 1,
                                            {NULL, 0},      60 * IV_NS_PER_S, 64};
    const struct iv_hand_options options = {.commands = &command,
                                            .command_count = 1,
                                            .cgroups = iv_str_of(folder),
                                            .runtime = iv_str_of(runtime)};
    must(iv_hand_start(&s->hand, &options, NULL, NULL, &err), &err);
}

static bool change(struct scene *s, const char *word)
{
    if (begins(word, "people")) {
        people_come(s);
    } else if (begins(word, "alerts")) {
        scene_alert(s);
    } else if (begins(word, "absence")) {
        s->sample.rule.form = IV_REQUIRE;
    } else if (begins(word, "dry-run")) {
        s->dry_run = true;
    } else if (begins(word, "stale") || begins(word, "fresh")) {
        s->stale = begins(word, "stale");
    } else if (begins(word, "silent")) {
        s->silent = true;
    } else {
        return false;
    }
    return true;
}

static bool act(struct scene *s, const char *word)
{
    const char *of = after_colon(word);
    if (begins(word, "find") && of != NULL) {
        find(s, of);
    } else if ((begins(word, "approve") || begins(word, "deny")) && of != NULL) {
        people_say(s, of, begins(word, "approve"));
    } else if (begins(word, "close")) {
        people_close(s);
    } else if (begins(word, "undo")) {
        people_undo(s);
    } else if (begins(word, "pause") || begins(word, "resume")) {
        people_pause(s, begins(word, "pause"));
    } else if (begins(word, "pass") && of != NULL) {
        scene_skip_to(s, iv_ns_add(iv_wall(&s->clock), strtoll(of, NULL, 10) * IV_NS_PER_S));
    } else if (begins(word, "turn") && of != NULL) {
        scene_turn(s, (unsigned)strtoul(of, NULL, 10));
    } else if (begins(word, "rest")) {
        scene_rest(s, (of == NULL ? REST_WITHIN : strtoll(of, NULL, 10)) * IV_NS_PER_S);
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct scene s;
    IV_CHECK(argc >= 5);
    s.endpoint = (struct iv_endpoint){.name = IV_STR("hook"), .url = iv_str_of(argv[2])};
    int word = 5;
    if (word < argc && strcmp(argv[word], "hand") == 0) {
        lend_hand(&s, argv[3]); /* before there is anything else that a child would have, too */
        word++;
    }
    scene_open(&s, argv[1], argv[3], argv[4]);
    for (; word < argc; word++) {
        if (!change(&s, argv[word]) && !act(&s, argv[word])) {
            (void)fprintf(stderr, "respond_trial: there is no word '%s'\n", argv[word]);
            return 2;
        }
    }
    scene_close(&s);
    return 0;
}
