/* SPDX-License-Identifier: Apache-2.0 */
/* Deterministic simulation: the product's core, store, publisher and responder in one thread, under a random
 * schedule of what a data centre does to a monitor. Every seed is a schedule; all that happens follows from
 * it.
 *
 * What happens: partitions are read in any interleaving and in any portions, or not at all for a while;
 * commits wait; partitions are taken away and come back, here or after somebody else had them; messages,
 * acknowledgements, calls and answers are lost or late; the disk has no space, is busy, or fails; memory runs
 * out; the wall clock falls back; everything stands still for seconds; the process is killed, and with it the
 * power of its machine. Producers repeat records and contradict themselves.
 *
 * What holds: see audit.h.
 *
 * Environment: IV_SEED=n begins there (else at random); IV_SEEDS=n plays so many (else 5,000, or 500,000
 * with IV_LONG=1); IV_TRACE=1 prints what happens. */
#include "audit.h"
#include "machine.h"
#include "scene.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "support/disk_with_store.h"
#include "support/sqlite_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SCHEDULES 8 /* of one scene */
#define MAKES_STORE_EVERY 64
#define SEEDS 5000
#define SEEDS_LONG 500000
#define FAILURES_SHOWN 3
#define TURNS_TO_REST 5000
#define TEN_YEARS (INT64_C(10) * 365 * 24 * 3600 * IV_NS_PER_S)

enum happening {
    CRASHES,
    POWER_FAILS,
    MEMORY_RUNS_OUT,
    DISK_FAILS,
    DISK_IS_BUSY,
    REBALANCES,
    CLOCK_FALLS_BACK,
    STALLS,
    PROCESS_ENDS,
    SNAPSHOT_RESTORED,
    SNAPSHOT_REFUSED,
    HAPPENINGS
};
static const char *const happening_names[] = {
    "kill -9",         "power lost", "allocation failed", "disk operation failed",     "disk busy or full",
    "rebalance",       "clock back", "stall of 1 to 5 s", "process ended by an error", "snapshot restored",
    "snapshot refused"};
static uint64_t happened[HAPPENINGS];
static bool tracing;

struct schedule {
    uint64_t seed;
    struct scene *scene;
    struct outside outside;
    struct disk *disk;
    struct vault vault;
    struct machine machine;
    struct progress progress;
    size_t appended;
    bool saves; /* takes snapshots; else each start reads from the beginning */
    struct iv_buf why;
    bool broken; /* a law, and why says which */
};

static void note(struct schedule *s, enum happening what, const char *more)
{
    happened[what]++;
    if (tracing) {
        printf("%8.3f %s %s\n", (double)(s->outside.now - WORLD_EPOCH_S * IV_NS_PER_S) / (double)IV_NS_PER_S,
               happening_names[what], more);
    }
}

static void break_law(struct schedule *s, const char *what, const struct iv_err *err)
{
    if (!s->broken) {
        iv_buf_printf(&s->why, "%s: %s\n", what, err->text);
        s->broken = true;
    }
}

static void no_faults(struct schedule *s)
{
    iv_alloc_fail(0, false);
    disk_fail(s->disk, &(struct disk_plan){0});
}

/* An error has a cause, and a sentence. */
static void end_process(struct schedule *s, const struct iv_err *err)
{
    bool caused = disk_failed(s->disk) || iv_alloc_failed();
    if (!caused || err->text[0] == '\0') {
        break_law(s, "the process ended, and nothing had failed", err);
    }
    note(s, PROCESS_ENDS, err->text);
    no_faults(s);
    machine_kill(&s->machine, false, 0);
}

static void boot(struct schedule *s)
{
    struct iv_err err = {.text = ""};
    s->broken = s->broken || !audit_intents(&s->why, s->machine.path, &s->outside);
    for (int tries = 0; !s->machine.up && tries < 3; tries++) {
        if (!iv_ok(machine_boot(&s->machine, &err))) {
            end_process(s, &err);
        }
    }
    if (!s->machine.up) {
        break_law(s, "the process does not start", &err);
        return;
    }
}

static void crash(struct schedule *s, bool power)
{
    note(s, power ? POWER_FAILS : CRASHES, "");
    no_faults(s);
    machine_kill(&s->machine, power, dice_next(&s->outside.dice));
    boot(s);
}

static void turn(struct schedule *s, iv_rc (*step)(struct machine *m, struct iv_err *err))
{
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = step(&s->machine, &err);
    if (!iv_ok(rc) && iv_code_class(rc.code) != IV_CLASS_RETRY) {
        end_process(s, &err);
        boot(s);
    }
}

static void append_due(struct schedule *s)
{
    const struct arrivals *a = &s->scene->arrivals;
    while (s->appended < a->count && a->items[s->appended].position <= s->outside.now) {
        outside_append(&s->outside, &a->items[s->appended++]);
    }
}

static void pass_time(struct schedule *s, iv_ns length)
{
    s->outside.now += length;
    append_due(s);
}

static void plan_disk_failure(struct schedule *s, bool passing)
{
    struct dice *dice = &s->outside.dice;
    static const struct disk_plan passing_plans[] = {{1u << DISK_WRITE, 0, DISK_FULL, false},
                                                     {1u << DISK_LOCK, 0, DISK_BUSY, false}};
    static const struct disk_plan plans[] = {
        {1u << DISK_READ, 0, DISK_ERROR, false},    {1u << DISK_WRITE, 0, DISK_ERROR, false},
        {1u << DISK_WRITE, 0, DISK_TORN, false},    {1u << DISK_SYNC, 0, DISK_ERROR, false},
        {1u << DISK_TRUNCATE, 0, DISK_ERROR, true}, {(1u << DISK_OPS) - 1, 0, DISK_TORN, true},
    };
    struct disk_plan plan = passing ? passing_plans[dice_below(dice, IV_COUNT(passing_plans))]
                                    : plans[dice_below(dice, IV_COUNT(plans))];
    plan.at = 1 + dice_below(dice, passing ? 10 : 40);
    disk_fail(s->disk, &plan);
    note(s, passing ? DISK_IS_BUSY : DISK_FAILS, disk_failure_name(plan.how));
}

static void rebalance(struct schedule *s)
{
    struct iv_err err = {.text = ""};
    bool ours = s->machine.cell->ours;
    bool lost = dice_one_in(&s->outside.dice, 4);
    note(s, REBALANCES, ours ? "revoked" : lost ? "assigned anew" : "assigned");
    struct iv_rc_s rc = ours ? machine_revoke(&s->machine, &err) : machine_assign(&s->machine, lost, &err);
    if (!iv_ok(rc) && iv_code_class(rc.code) != IV_CLASS_RETRY) {
        end_process(s, &err);
        boot(s);
    }
}

/* Rare things. */
static void befall(struct schedule *s)
{
    struct dice *dice = &s->outside.dice;
    switch (dice_below(dice, 16)) {
    case 0:
    case 1:
        crash(s, false);
        break;
    case 2:
    case 3:
        crash(s, true);
        break;
    case 4:
        if (s->vault.count > 0 && dice_one_in(dice, 2)) {
            struct iv_buf *newest = &s->vault.kept[s->vault.count - 1];
            newest->p[dice_below(dice, newest->n)] ^= (char)(1 << dice_below(dice, 8));
            break;
        }
        iv_alloc_fail(1 + dice_below(dice, 300), false);
        note(s, MEMORY_RUNS_OUT, "");
        break;
    case 5:
        plan_disk_failure(s, false);
        break;
    case 6:
    case 7:
        plan_disk_failure(s, true);
        break;
    case 8:
        s->outside.wall_behind = dice_one_in(dice, 2) ? 0 : (iv_ns)dice_below(dice, 3600) * IV_NS_PER_S;
        note(s, CLOCK_FALLS_BACK, s->outside.wall_behind == 0 ? "and is put right" : "");
        break;
    case 9:
    case 10:
        pass_time(s, IV_NS_PER_S + (iv_ns)dice_below(dice, 4000) * IV_NS_PER_MS);
        note(s, STALLS, "");
        break;
    default:
        rebalance(s);
        break;
    }
}

static void step(struct schedule *s)
{
    struct dice *dice = &s->outside.dice;
    uint64_t die = dice_below(dice, 64);
    if (die < 16) {
        turn(s, machine_detect);
    } else if (die < 30) {
        turn(s, machine_keep);
        s->broken = s->broken || !audit_positions(&s->why, &s->progress, &s->machine);
    } else if (die < 38) {
        turn(s, machine_publish);
    } else if (die < 46) {
        turn(s, machine_act);
    } else if (die < 48 && s->saves) {
        turn(s, machine_save);
    } else if (die < 60) {
        pass_time(s, (iv_ns)dice_below(dice, 1500) * IV_NS_PER_MS);
    } else {
        befall(s);
    }
}

/* Everything works, until there is nothing left to do. */
static void come_to_rest(struct schedule *s)
{
    struct machine *m = &s->machine;
    struct iv_err err = {.text = ""};
    for (int quiet = 0, turns = 0; quiet < 4 && !s->broken; turns++) {
        m->moved = false;
        turn(s, machine_detect);
        turn(s, machine_keep);
        turn(s, machine_publish);
        turn(s, machine_act);
        quiet = m->moved ? 0 : quiet + 1;
        pass_time(s, IV_NS_PER_S);
        if (turns == TURNS_TO_REST) {
            break_law(s, "it does not come to rest", &err);
        }
    }
}

static void play_end(struct schedule *s)
{
    struct iv_err err = {.text = ""};
    s->outside.calm = true;
    s->outside.wall_behind = 0;
    no_faults(s);
    if (!iv_ok(machine_assign(&s->machine, false, &err))) {
        break_law(s, "partitions cannot be assigned", &err);
    }
    come_to_rest(s);
    pass_time(s, TEN_YEARS);
    come_to_rest(s);
    s->broken = s->broken || !audit_positions(&s->why, &s->progress, &s->machine);
}

static bool play(struct scene *scene, uint64_t seed, struct iv_str path)
{
    struct schedule s = {.seed = seed, .scene = scene, .saves = seed % 4 != 0};
    size_t blocks = sqlite_blocks();
    iv_buf_init(&s.why, 1u << 20);
    outside_init(&s.outside, seed ^ UINT64_C(0x5eed));
    /* Now and then one makes its store itself. */
    s.disk = seed % MAKES_STORE_EVERY == 0 ? disk_new() : disk_new_with_store(path);
    machine_init(&s.machine, &s.outside, s.disk, &s.vault, path);
    s.machine.baseline = scene->baseline;
    s.machine.playbooks = scene->playbooks;
    s.machine.partitions = scene->world.partitions;
    boot(&s);
    iv_ns end = s.outside.now + scene->world.length + 3 * IV_NS_PER_S;
    while (!s.broken && s.outside.now < end) {
        step(&s);
    }
    if (!s.broken) {
        play_end(&s);
    }
    no_faults(&s);
    machine_kill(&s.machine, false, 0);
    s.broken = s.broken || !audit_end(&s.why, scene, path, &s.outside);
    if (sqlite_blocks() != blocks) {
        break_law(&s, "SQLite", &(struct iv_err){.text = "its memory was not all freed"});
    }
    if (s.broken) {
        printf("seed %llu (IV_SEED=%llu IV_SEEDS=1 IV_TRACE=1):\n" IV_STR_FMT "\n", (unsigned long long)seed,
               (unsigned long long)seed, IV_STR_ARG(iv_buf_slice(&s.why)));
    }
    happened[SNAPSHOT_RESTORED] += s.vault.restored;
    happened[SNAPSHOT_REFUSED] += s.vault.refused;
    vault_deinit(&s.vault);
    disk_free(s.disk);
    outside_deinit(&s.outside);
    iv_buf_deinit(&s.why);
    return !s.broken;
}

/* Found by the sanitizer, where there is one. Each schedule frees all it has, so memory comes back soon. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1:malloc_context_size=4";
}

static uint64_t number_in(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* Schedules from the seed on that share its scene; answers how many were played. */
static uint64_t play_scene(uint64_t seed, uint64_t most, const char *folder, uint64_t *failed)
{
    struct scene scene;
    char path[256];
    uint64_t played = 0;
    int n = snprintf(path, sizeof path, "%s/store.db", folder);
    if (!scene_init(&scene, seed / SCHEDULES, folder)) {
        ++*failed;
        scene_deinit(&scene);
        return SCHEDULES;
    }
    bool whole = true;
    do {
        bool held = play(&scene, seed + played, (struct iv_str){path, (size_t)n});
        *failed += !held;
        whole = whole && held;
        played++;
    } while (played < most && (seed + played) % SCHEDULES != 0 && *failed < FAILURES_SHOWN);
    if (!whole && most == 1) {
        scene_report(&scene);
    }
    scene_deinit(&scene);
    return played;
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"baseline.yaml", "pack.yaml", "act.yaml", "store.db"};
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

int main(void)
{
    char folder[] = "/tmp/invigil-simulation-XXXXXX";
    uint64_t first = number_in("IV_SEED", iv_hash_key_random().k0 % 1000000000);
    uint64_t seeds = number_in("IV_SEEDS", getenv("IV_LONG") != NULL ? SEEDS_LONG : SEEDS);
    uint64_t played = 0;
    uint64_t failed = 0;
    tracing = getenv("IV_TRACE") != NULL;
    sqlite_allocates_by_base();
    IV_CHECK(mkdtemp(folder) != NULL);
    printf("seeds from %llu on\n", (unsigned long long)first);
    while (played < seeds && failed < FAILURES_SHOWN) {
        played += play_scene(first + played, seeds - played, folder, &failed);
    }
    remove_folder(folder);
    for (int i = 0; i < HAPPENINGS; i++) {
        printf("%-28s %8llu\n", happening_names[i], (unsigned long long)happened[i]);
    }
    printf("all laws hold for %llu schedules, not for %llu\n", (unsigned long long)(played - failed),
           (unsigned long long)failed);
    return failed == 0 ? 0 : 1;
}
