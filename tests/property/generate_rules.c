/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include "base/guard.h"

uint64_t dice_next(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t dice_below(struct dice *dice, uint64_t n)
{
    return dice_next(dice) % n;
}

bool dice_one_in(struct dice *dice, uint64_t n)
{
    return dice_below(dice, n) == 0;
}

const char *dice_pick(struct dice *dice, const char *const *items, size_t count)
{
    return items[dice_below(dice, count)];
}

iv_ns dice_time(struct dice *dice, iv_ns most)
{
    return (iv_ns)dice_below(dice, (uint64_t)(most / WORLD_GRID_NS) + 1) * WORLD_GRID_NS;
}

struct world generate_world(struct dice *dice)
{
    static const iv_ns dedups[] = {WORLD_DEDUP_LONG_NS, 700 * IV_NS_PER_MS, IV_NS_PER_MS};
    static const iv_ns latenesses[] = {0, 500 * IV_NS_PER_MS, 2 * IV_NS_PER_S, 5 * IV_NS_PER_S};
    struct world world = {
        .lateness = {latenesses[dice_below(dice, 2)], latenesses[dice_below(dice, 4)]},
        .partitions = {1 + (int32_t)dice_below(dice, 3), 1 + (int32_t)dice_below(dice, 3)},
        .length = (iv_ns)(4 + dice_below(dice, 16)) * IV_NS_PER_S,
        .event_count = 5 + dice_below(dice, 50),
        .dedup = dedups[dice_below(dice, 3)],
    };
    if (dice_one_in(dice, 8)) {
        world.partitions[IV_LEDGER] = 0;
    }
    world.trees = dice_one_in(dice, 3);
    return world;
}

/* The events' fields: k, j, n, t, d and f stand in every type; v, u and s in two; m is an int in two, a
 * string in two. */
static const char events_yaml[] = "events:\n"
                                  "  x.a: {stream: telemetry, fields: {k: string, j: int, n: int, t: "
                                  "timestamp, d: duration, f: bool, v: string, u: "
                                  "double,"
                                  " s: list<string>, m: int, profile: string}}\n"
                                  "  x.b: {stream: telemetry, fields: {k: string, j: int, n: int, t: "
                                  "timestamp, d: duration, f: bool, u: double, m: "
                                  "string}}\n"
                                  "  y.a: {stream: ledger, fields: {k: string, j: int, n: int, t: timestamp, "
                                  "d: duration, f: bool, v: string, m: "
                                  "int}}\n"
                                  "  y.b: {stream: ledger, fields: {k: string, j: int, n: int, t: timestamp, "
                                  "d: duration, f: bool, s: list<string>,"
                                  " m: string}}\n";

static void stream_policy(struct iv_buf *out, struct dice *dice, const struct world *world,
                          enum iv_stream stream)
{
    iv_buf_printf(
        out, "  %s: {topic: %s, lateness: %lldms, grade: %s, history: %s}\n", iv_stream_name(stream),
        iv_stream_name(stream), (long long)(world->lateness[stream] / IV_NS_PER_MS),
        dice_one_in(dice, 5) ? "best_effort" : "complete", dice_one_in(dice, 4) ? "partial" : "full");
}

void generate_baseline(struct iv_buf *out, struct dice *dice, const struct world *world)
{
    iv_buf_text(
        out, "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: random, version: \"1\"}\nstreams:\n");
    stream_policy(out, dice, world, IV_LEDGER);
    stream_policy(out, dice, world, IV_TELEMETRY);
    iv_buf_printf(out, "dedup: %lldms\nmode: %s\n", (long long)(world->dedup / IV_NS_PER_MS),
                  DICE_PICK(dice, "enforce", "observe"));
    iv_buf_text(out, "parameters: {win: 2s, num: 3, cnt: 2, cap: 4.5, log: 6s, far: {win: 3s}, names: [k0, "
                     "k2], ranks: {k1: 1}}\n");
    if (dice_one_in(dice, 2)) {
        iv_buf_text(out,
                    "overrides:\n"
                    "- match: {tenant: t1, agent: \"a*\"}\n  parameters: {win: 1s, num: 5}\n"
                    "- match: {tenant: \"t?\"}\n  parameters: {cnt: 1, win: 500ms, log: 1s, far: {win: 1s}}\n"
                    "- match: {profile: p0}\n  parameters: {cap: 0.5, cnt: 3, names: [k1]}\n");
    }
    if (dice_one_in(dice, 2)) {
        iv_buf_text(
            out, "waivers:\n"
                 "- {rule: PRO-001, match: {agent: \"a1*\"}, reason: r, by: b, until: 2026-01-01T00:00:05Z}\n"
                 "- {rule: EVT-001, match: {tenant: t0}, reason: r, by: b, until: 2027-01-01T00:00:00Z}\n");
    }
    iv_buf_text(out, events_yaml);
    if (world->trees) {
        generate_note_keys(out, world);
    }
    iv_buf_text(out, "packs: [pack.yaml]\n");
}

/* What a rule selects, and which of the uncommon fields one may then name. */
struct selection {
    const char *yaml;
    bool has_v;
    bool has_u;
    bool has_s;
    bool mixes_m; /* m is an int in one of the types and a string in another */
};

static struct selection selection_of(struct dice *dice, bool stream)
{
    static const struct selection all[] = {
        {"event: x.a", true, true, true, false},       {"event: x.b", false, true, false, false},
        {"event: y.a", true, false, false, false},     {"event: y.b", false, false, true, false},
        {"event: [x.a, x.b]", true, true, true, true}, {"event: [x.b, y.a]", true, true, false, true},
        {"event: \"x.*\"", true, true, true, true},    {"event: [\"y.?\", x.b]", true, true, true, true},
        {"event: \"*\"", true, true, true, true},      {"stream: ledger", true, false, true, true},
        {"stream: telemetry", true, true, true, true},
    };
    return all[dice_below(dice, stream ? IV_COUNT(all) : IV_COUNT(all) - 2)];
}

/* A condition over one event. */
static void atom(struct iv_buf *out, struct dice *dice, const char *as, struct selection fields)
{
    static const char *const common[] = {
        "%s.n > 3",
        "%s.n %% 3 == 1",
        "%s.n / %s.j > 1",
        "has(%s.n)",
        "!has(%s.j)",
        "%s.k == \"k1\"",
        "%s.k.startsWith(\"k\")",
        "%s.tenant == \"t1\"",
        "has(%s.agent)",
        "%s.topic == \"ledger\"",
        "%s.type == \"x.a\" || %s.n == 2",
        "%s.n < baseline.num",
        "%s.d > duration(\"1s\")",
        "%s.t > %s.time",
        "%s.time >= timestamp(\"2026-01-01T00:00:03Z\")",
        "%s.n in [1, 2, 4]",
        "%s.k in [\"k0\", \"k2\"]",
        "%s.k in baseline.names",
        "%s.k in baseline.ranks",
        "%s.k != \"k2\"",
        "%s.f",
        "!has(%s.f) || %s.f",
        "has(%s.k) && %s.k == \"k0\"",
        "%s.j == 1 && %s.n / %s.j > 1",
        "%s.n / %s.j > 1 && %s.j == 1",
        "(%s.j == 0 || %s.j == 2) && %s.f",
        "%s.n == baseline.num",
        "%s.topic == \"telemetry\" && !%s.f",
        "[1, 2].exists(q, q == %s.n) && %s.j == 1",
    };
    static const char *const rare[] = {
        "%s.v in [\"v0\", \"v2\"]",
        "%s.u < baseline.cap",
        "\"s1\" in %s.s",
        "has(%s.v)",
        "%s.u + 1.0 > 2.0",
        "%s.s.exists(q, q == \"s0\")",
        "%s.m == 1",
        "%s.m != \"1\"",
        "%s.u == 1.0",
        "has(%s.v) && %s.v != \"v1\"",
    };
    const bool usable[] = {fields.has_v, fields.has_u,   fields.has_s,   fields.has_v, fields.has_u,
                           fields.has_s, fields.mixes_m, fields.mixes_m, fields.has_u, fields.has_v};
    size_t which = dice_below(dice, IV_COUNT(rare));
    const char *form =
        dice_one_in(dice, 3) && usable[which] ? rare[which] : common[dice_below(dice, IV_COUNT(common))];
    for (const char *p = form; *p != '\0'; p++) {
        if (*p == '%') {
            p++;
            iv_buf_text(out, *p == 's' ? as : "%");
        } else {
            iv_buf_char(out, *p);
        }
    }
}

static void condition(struct iv_buf *out, struct dice *dice, const char *as, struct selection fields)
{
    bool negate = dice_one_in(dice, 6);
    iv_buf_text(out, negate ? "!(" : "");
    atom(out, dice, as, fields);
    iv_buf_text(out, negate ? ")" : "");
    if (dice_one_in(dice, 3)) {
        iv_buf_text(out, DICE_PICK(dice, " && ", " || "));
        atom(out, dice, as, fields);
    }
}

/* A condition over trigger and partner. */
static void pair_condition(struct iv_buf *out, struct dice *dice, struct selection on, struct selection with)
{
    if (dice_one_in(dice, 3)) {
        condition(out, dice, dice_one_in(dice, 2) ? "b" : "a",
                  (struct selection){NULL, false, false, false, false});
        iv_buf_text(out, DICE_PICK(dice, " && ", " || "));
    }
    if (on.has_v && with.has_v && dice_one_in(dice, 3)) {
        iv_buf_text(out, DICE_PICK(dice, "b.v != a.v", "b.v == a.v", "a.v + b.v == \"v1v1\""));
        return;
    }
    iv_buf_text(out,
                DICE_PICK(dice, "b.n > a.n", "b.n == a.n", "b.time > a.time", "b.time <= a.time",
                          "b.time - a.time > duration(\"1s\")", "b.id != a.id", "b.tenant == a.tenant",
                          "b.n + a.n > 6", "b.time > a.time + baseline.win", "a.n / b.j > 0", "b.k != a.k",
                          "b.n > baseline.num", "b.type == a.type", "b.source < a.source"));
}

static void partner_key(struct iv_buf *out, struct dice *dice, bool mixes_m)
{
    if (mixes_m && dice_one_in(dice, 8)) {
        iv_buf_text(out, ", by: m");
        return;
    }
    iv_buf_text(out, DICE_PICK(dice, "", ", by: k", ", by: k", ", by: [k, j]", ", by: tenant",
                               ", by: {on: a.k, with: b.k}", ", by: {on: 'a.j + 1', with: b.n}",
                               ", by: {on: [a.k, a.tenant], with: [b.k, b.tenant]}",
                               ", by: {on: 'a.n / a.j', with: b.j}", ", by: [tenant, agent]"));
}

static void partner_window(struct iv_buf *out, struct dice *dice)
{
    iv_buf_text(out, DICE_PICK(dice, ", before: 1s", ", before: 0s", ", before: 5s", ", after: 1s",
                               ", after: 3s", ", after: 100ms", ", within: 500ms", ", within: 2s",
                               ", before: baseline.win", ", within: baseline.win", ", after: a.d",
                               ", until: a.t", ", after: baseline.far.win",
                               ", until: 'a.time + duration(\"2s\")'", ", until: 'a.time + baseline.win'",
                               ", before: 'baseline.win + duration(\"500ms\")'"));
}

static void thresholds(struct iv_buf *out, struct dice *dice, struct selection with)
{
    if (dice_one_in(dice, 2)) {
        iv_buf_printf(out, "    at_least: %s\n",
                      DICE_PICK(dice, "1", "2", "3", "baseline.cnt", "'a.j + 1'", "'a.n / a.j'"));
    }
    if (dice_one_in(dice, 3)) {
        const char *what = DICE_PICK(dice, "n", "k", "[k, n]", "'b.n % 2'", "source", "m");
        iv_buf_printf(out, "    distinct: %s\n", with.has_v && dice_one_in(dice, 3) ? "v" : what);
    }
}

static void partner_form(struct iv_buf *out, struct dice *dice, const char *form, struct selection on)
{
    struct selection with = selection_of(dice, true);
    iv_buf_printf(out, "  %s:\n    with: {%s, as: b", form, with.yaml);
    partner_key(out, dice, on.mixes_m && with.mixes_m);
    partner_window(out, dice);
    iv_buf_text(out, "}\n");
    if (!dice_one_in(dice, 3)) {
        iv_buf_text(out, "    if: '");
        pair_condition(out, dice, on, with);
        iv_buf_text(out, "'\n");
    }
    thresholds(out, dice, with);
}

static void tree_rule(struct iv_buf *out, struct dice *dice)
{
    iv_buf_printf(out, "  on: {%s, as: a}\n",
                  DICE_PICK(dice, "event: ledger.checkpoint", "event: [ledger.checkpoint, y.a]"));
    if (dice_one_in(dice, 4)) {
        iv_buf_text(out, "  where: has(a.agent)\n");
    }
    iv_buf_printf(out, "  require:\n    with: {stream: ledger, by: ledger_id, before: %s}\n    tree: %s\n",
                  DICE_PICK(dice, "20s", "20s", "6s", "baseline.log"),
                  DICE_PICK(dice, "a.note", "a.note", "{note: a.note, role: log}", "'true ? a.note : a.id'"));
}

static void limit_form(struct iv_buf *out, struct dice *dice, struct selection on)
{
    iv_buf_printf(out, "  limit:\n    by: %s\n    window: %s\n",
                  DICE_PICK(dice, "k", "[k, j]", "tenant", "'a.n % 2'", "m"),
                  DICE_PICK(dice, "1s", "3s", "500ms", "baseline.win", "8s"));
    const char *max =
        DICE_PICK(dice, "1", "2", "3", "baseline.cnt", "baseline.num", "'a.j + 1'", "'a.n / a.j'");
    switch (dice_below(dice, 3)) {
    case 0:
        iv_buf_printf(out, "    count: {max: %s}\n", max);
        break;
    case 1:
        iv_buf_printf(out, "    sum: {of: %s, max: %s}\n", on.has_u && dice_one_in(dice, 3) ? "u" : "n",
                      DICE_PICK(dice, "4", "8", "baseline.cap", "'a.n * 2'"));
        break;
    default:
        iv_buf_printf(out, "    distinct: {of: %s, max: %s}\n",
                      DICE_PICK(dice, "n", "[k, n]", "source", "'a.n % 3'"), max);
        break;
    }
}

static void same_form(struct iv_buf *out, struct dice *dice, struct selection on)
{
    iv_buf_printf(
        out, "  same: {by: %s, value: %s, within: %s}\n",
        DICE_PICK(dice, "k", "[k, tenant]", "agent", "'a.n / a.j'", "m"),
        on.has_v && dice_one_in(dice, 2) ? "v" : DICE_PICK(dice, "n", "[n, j]", "'a.n % 2 == 0'", "source"),
        DICE_PICK(dice, "1s", "5s", "baseline.win", "100ms", "'baseline.far.win'"));
}

static void rule(struct iv_buf *out, struct dice *dice, unsigned number, bool trees)
{
    struct selection on = selection_of(dice, true);
    iv_buf_printf(out, "- id: PRO-%03u\n  title: A random rule\n  severity: low\n  criteria: [CC7.2]\n",
                  number);
    if (trees && dice_one_in(dice, 2)) {
        tree_rule(out, dice);
        return;
    }
    iv_buf_printf(out, "  on: {%s, as: a}\n", on.yaml);
    if (dice_one_in(dice, 3)) {
        iv_buf_text(out, "  where: '");
        condition(out, dice, "a", on);
        iv_buf_text(out, "'\n");
    }
    switch (dice_below(dice, 8)) {
    case 0:
        iv_buf_text(out, "  forbid: {if: '");
        condition(out, dice, "a", on);
        iv_buf_text(out, "'}\n");
        break;
    case 1:
    case 2:
        partner_form(out, dice, "forbid", on);
        break;
    case 3:
        limit_form(out, dice, on);
        break;
    case 4:
        same_form(out, dice, on);
        break;
    default:
        partner_form(out, dice, "require", on);
        break;
    }
}

static const char pack_head[] =
    "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: random, title: Random rules}\nrules:\n";

void generate_pack(struct iv_buf *out, struct dice *dice, const struct world *world)
{
    unsigned count = 1 + (unsigned)dice_below(dice, 5);
    iv_buf_text(out, pack_head);
    for (unsigned i = 1; i <= count; i++) {
        rule(out, dice, i, world->trees);
    }
}

void generate_changed_pack(struct iv_buf *changed, struct dice *dice, const struct iv_buf *pack)
{
    static const char start[] = "- id: ";
    const char *end = pack->p + pack->n;
    const char *at = memmem(pack->p, pack->n, start, sizeof start - 1);
    unsigned number = 1;
    iv_buf_text(changed, pack_head);
    if (dice_one_in(dice, 3)) {
        rule(changed, dice, 900, false);
    }
    for (; at != NULL; number++) {
        const char *next = memmem(at + 1, (size_t)(end - at - 1), start, sizeof start - 1);
        size_t length = (size_t)((next == NULL ? end : next) - at);
        switch (dice_below(dice, 5)) {
        case 0:
            rule(changed, dice, number, false);
            break;
        case 1:
            if (number == 1) { /* a waiver may name it */
                iv_buf_add(changed, at, length);
            }
            break;
        default:
            iv_buf_add(changed, at, length);
            break;
        }
        at = next;
    }
    rule(changed, dice, 901, false);
}
