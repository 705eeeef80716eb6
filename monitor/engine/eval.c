/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/eval.h"

#include "base/guard.h"

/* Whether a rule fails in this place for the first time: a program's offset, or a sentence of ours. */
static bool is_news(struct iv_engine *e, const struct iv_rule *rule, const void *what, uint32_t at)
{
    struct iv_told *told = &e->told[rule->index];
    for (uint8_t i = 0; i < told->count; i++) {
        if (told->what[i] == what && told->at[i] == at) {
            return false;
        }
    }
    if (e->options.complaint == NULL || told->count == IV_TOLD_MAX) {
        return false;
    }
    told->what[told->count] = what;
    told->at[told->count++] = at;
    return true;
}

static void count_failure(struct iv_engine *e, const struct iv_rule *rule)
{
    e->rule_stats[rule->index].failures++;
    e->stats.failures++;
}

static void complain(struct iv_engine *e, const struct iv_pair *pair, const struct iv_err *why)
{
    const struct iv_event *on = iv_store_view_whole(&e->store, pair->on);
    if (on == NULL) {
        e->spent = true;
        return;
    }
    e->options.complaint(e->options.ctx, pair->rule, on, why);
}

void iv_eval_complain(struct iv_engine *e, const struct iv_pair *pair, const char *why)
{
    if (e->quiet) {
        return;
    }
    count_failure(e, pair->rule);
    if (is_news(e, pair->rule, why, 0)) {
        struct iv_err err = {0};
        struct iv_rc_s rc = iv_err_set(&err, IV_E_EVAL, "%s", why);
        (void)rc;
        complain(e, pair, &err);
    }
}

uint32_t iv_eval_params(struct iv_engine *e, const struct iv_object *trigger)
{
    uint32_t set = iv_params_resolve(e->params, trigger);
    e->spent = e->spent || set == IV_PARAMS_NONE;
    return set;
}

/* A sentence costs more than evaluating: only for the first of a kind the program runs once more to write
 * one. */
static void note_failure(struct iv_engine *e, const struct iv_pair *pair, const struct iv_cel_prog *prog)
{
    e->spent = e->spent || e->frame.arena.out_of_memory;
    if (e->quiet || e->spent) {
        return;
    }
    count_failure(e, pair->rule);
    if (is_news(e, pair->rule, prog, e->frame.error_offset)) {
        struct iv_err err = {0};
        bool holds = false;
        bool failed = false;
        iv_arena_reset(&e->frame.arena);
        iv_cel_test(prog, &e->frame, &holds, &failed, &err);
        complain(e, pair, &err);
    }
}

static void bind(struct iv_engine *e, const struct iv_event *on, const struct iv_event *with, uint32_t params)
{
    e->events[IV_SLOT_TRIGGER] = (struct iv_val){.kind = IV_KIND_OBJECT, .object = &on->object};
    e->events[IV_SLOT_PARTNER] =
        with == NULL ? (struct iv_val){0} : (struct iv_val){.kind = IV_KIND_OBJECT, .object = &with->object};
    e->frame.bank[IV_BANK_EVENTS] = e->events;
    e->frame.bank[IV_BANK_PARAMETERS] = e->params == NULL ? NULL : iv_params_bank(e->params, params);
    iv_arena_reset(&e->frame.arena);
}

bool iv_eval_holds(struct iv_engine *e, const struct iv_pair *pair, const struct iv_cel_prog *prog)
{
    if (prog == NULL) {
        return true;
    }
    bool holds = false;
    bool failed = false;
    bind(e, pair->on, pair->with, pair->params);
    e->stats.evaluations++;
    iv_cel_test(prog, &e->frame, &holds, &failed, NULL);
    if (failed) {
        note_failure(e, pair, prog);
        return false;
    }
    return holds;
}

/* The value of a program, absent where it fails. */
static bool run(struct iv_engine *e, const struct iv_pair *pair, const struct iv_cel_prog *prog,
                struct iv_val *out)
{
    struct iv_rc_s rc = iv_cel_run(prog, &e->frame, out, NULL);
    if (!iv_ok(rc)) {
        note_failure(e, pair, prog);
        return false;
    }
    return out->kind != IV_KIND_ABSENT;
}

bool iv_eval_amount(struct iv_engine *e, const struct iv_pair *pair, const struct iv_amount *amount,
                    struct iv_number *out)
{
    if (amount->prog == NULL) {
        *out = (struct iv_number){amount->is_double, amount->i, amount->d};
        return true;
    }
    struct iv_val value = {0};
    bind(e, pair->on, pair->with, pair->params);
    if (!run(e, pair, amount->prog, &value)) {
        return false;
    }
    if (!iv_number_of(out, &value)) {
        iv_eval_complain(e, pair, "the amount is not a number");
        return false;
    }
    return true;
}

bool iv_eval_length(struct iv_engine *e, const struct iv_pair *pair, const struct iv_amount *amount,
                    iv_ns *out)
{
    if (amount->prog == NULL) {
        *out = amount->i;
        return true;
    }
    struct iv_val value = {0};
    bind(e, pair->on, pair->with, pair->params);
    if (!run(e, pair, amount->prog, &value)) {
        return false;
    }
    if (value.kind != IV_KIND_DURATION) {
        iv_eval_complain(e, pair, "the length of the window is not a duration");
        return false;
    }
    *out = iv_instant_to_ns_saturated(iv_val_instant(value));
    return true;
}

static struct iv_val field_of(const struct iv_event *event, uint16_t name_id)
{
    uint8_t slot = event->object.slot_of[name_id];
    return slot == IV_NO_SLOT ? (struct iv_val){0} : event->slots[slot];
}

/* The value of one term; programs find their variables bound. */
static bool term_value(struct iv_engine *e, const struct iv_pair *pair, const struct iv_term *term,
                       const struct iv_event *side, struct iv_val *out)
{
    if (term->prog != NULL) {
        iv_arena_reset(&e->frame.arena);
        return run(e, pair, term->prog, out);
    }
    *out = field_of(side, term->name_id);
    return out->kind != IV_KIND_ABSENT;
}

bool iv_eval_term(struct iv_engine *e, const struct iv_pair *pair, const struct iv_term *term, bool partner,
                  struct iv_val *out)
{
    bind(e, pair->on, pair->with, pair->params);
    return term_value(e, pair, term, partner ? pair->with : pair->on, out);
}

/* As iv_val_key has it, without the buffer's care. False where the value is no text or int, or does not fit.
 */
static bool short_add(struct iv_short_key *key, const struct iv_val *value)
{
    char *at = key->bytes + key->n;
    if (value->kind == IV_KIND_INT && key->n + 1 + sizeof value->i <= sizeof key->bytes) {
        *at = 'i';
        memcpy(at + 1, &value->i, sizeof value->i);
        key->n += 1 + sizeof value->i;
        return true;
    }
    if (value->kind == IV_KIND_STRING && key->n + 1 + sizeof value->n + value->n <= sizeof key->bytes) {
        *at = 's';
        memcpy(at + 1, &value->n, sizeof value->n);
        memcpy(at + 1 + sizeof value->n, value->s, value->n);
        key->n += 1 + sizeof value->n + value->n;
        return true;
    }
    return false;
}

/* The commonest keys, of fields alone. False: it is another kind of key. */
static bool short_key(struct iv_short_key *key, const struct iv_terms *terms, const struct iv_event *side,
                      bool *present)
{
    key->n = 0;
    *present = true;
    for (uint8_t i = 0; i < terms->count; i++) {
        if (terms->terms[i].prog != NULL) {
            return false;
        }
        struct iv_val value = field_of(side, terms->terms[i].name_id);
        if (value.kind == IV_KIND_ABSENT) {
            *present = false;
            return true;
        }
        if (!short_add(key, &value)) {
            return false;
        }
    }
    return true;
}

bool iv_eval_key_bytes(struct iv_engine *e, const struct iv_pair *pair, const struct iv_terms *terms,
                       bool partner, struct iv_short_key *room, struct iv_str *out)
{
    const struct iv_event *side = partner ? pair->with : pair->on;
    bool present = false;
    if (short_key(room, terms, side, &present)) {
        *out = (struct iv_str){room->bytes, room->n};
        return present;
    }
    bind(e, pair->on, pair->with, pair->params);
    iv_buf_clear(&e->key);
    for (uint8_t i = 0; i < terms->count; i++) {
        struct iv_val value = {0};
        if (!term_value(e, pair, &terms->terms[i], side, &value)) {
            return false;
        }
        iv_val_key(&e->key, &value);
    }
    if (iv_buf_failed(&e->key)) {
        e->spent = e->spent || e->key.out_of_memory;
        iv_eval_complain(e, pair, "a key or a value is too large to be compared");
        return false;
    }
    *out = iv_buf_slice(&e->key);
    return true;
}

bool iv_eval_key(struct iv_engine *e, const struct iv_pair *pair, const struct iv_terms *terms, bool partner,
                 struct iv_hash128 *out)
{
    struct iv_short_key room IV_UNSET;
    struct iv_str bytes;
    if (!iv_eval_key_bytes(e, pair, terms, partner, &room, &bytes)) {
        return false;
    }
    *out = iv_hash128(e->options.hash_key, bytes);
    return true;
}

static bool until(struct iv_engine *e, const struct iv_pair *pair, iv_ns *high)
{
    struct iv_val value = {0};
    bind(e, pair->on, pair->with, pair->params);
    if (!run(e, pair, pair->rule->with.window.until, &value)) {
        return false;
    }
    if (value.kind != IV_KIND_TIMESTAMP) {
        iv_eval_complain(e, pair, "the end of the window is not a timestamp");
        return false;
    }
    *high = iv_instant_to_ns_saturated(iv_val_instant(value));
    return true;
}

bool iv_eval_window(struct iv_engine *e, const struct iv_pair *pair, const struct iv_rule_plan *plan,
                    iv_ns *low, iv_ns *high)
{
    const struct iv_window *w = &pair->rule->with.window;
    iv_ns t = pair->on->time;
    *low = *high = t;
    if (w->kind == IV_WINDOW_UNTIL) {
        return until(e, pair, high);
    }
    iv_ns length = 0;
    if (!iv_eval_length(e, pair, &plan->length, &length)) {
        return false;
    }
    if (w->kind != IV_WINDOW_AFTER) {
        *low = iv_ns_add(t, iv_ns_negate(length));
    }
    if (w->kind != IV_WINDOW_BEFORE) {
        *high = iv_ns_add(t, length);
    }
    return true;
}
