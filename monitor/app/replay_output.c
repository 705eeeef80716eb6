/* SPDX-License-Identifier: Apache-2.0 */
#include "app/replay_output.h"
#include "app/brief.h"
#include "base/guard.h"
#include "event/decode.h"
#include "evidence/ocsf.h"

/* A dead letter holds a whole record in base64, and files cut records at 16 MiB. */
#define LINE_MAX_BYTES ((size_t)32 << 20)

iv_rc iv_replay_output_open(struct iv_replay_output *out, enum iv_replay_format format,
                            const struct iv_replay_modes *modes, const struct iv_replay_paths *paths,
                            const struct iv_baseline *baseline, struct iv_err *err)
{
    *out = (struct iv_replay_output){.format = format, .modes = *modes, .baseline = baseline};
    iv_buf_init(&out->line, LINE_MAX_BYTES);
    iv_buf_init(&out->letter, LINE_MAX_BYTES);
    TRY(iv_lines_open(&out->findings, paths->findings, modes->sort || modes->compare, err));
    TRY(iv_lines_open(&out->undecided, paths->undecided, modes->sort, err));
    TRY(iv_lines_open(&out->dead_letters, paths->dead_letters, false, err));
    if (format == IV_REPLAY_TABLE && !modes->compare) {
        iv_lines_put_text(&out->findings, IV_STR("TIME                            SEVERITY  RULE       "
                                                 "TRIGGER, TITLE, WITNESSES"));
    }
    return IV_OK;
}

void iv_replay_output_close(struct iv_replay_output *output)
{
    iv_lines_close(&output->findings);
    iv_lines_close(&output->undecided);
    iv_lines_close(&output->dead_letters);
    iv_buf_deinit(&output->line);
    iv_buf_deinit(&output->letter);
}

/* For a terminal: what an event's producer wrote must not move its cursor. */
static void printable(struct iv_buf *out, struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        iv_buf_char(out, c < 0x20 || c == 0x7f ? '?' : s.p[i]);
    }
}

static void pad_to(struct iv_buf *out, size_t from, size_t width)
{
    while (out->n < from + width) {
        iv_buf_char(out, ' ');
    }
}

static void table_row(struct iv_buf *out, const struct iv_verdict *v)
{
    static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
    iv_ns_format(out, v->trigger.time);
    pad_to(out, 0, 32);
    iv_buf_printf(out, "%-8s  ", severities[v->rule->severity]);
    iv_buf_str(out, v->rule->id);
    pad_to(out, 42, 11);
    printable(out, v->trigger.source);
    iv_buf_char(out, ' ');
    printable(out, v->trigger.id);
    iv_buf_text(out, ": ");
    printable(out, v->rule->title);
    for (size_t i = 0; i < v->witness_count; i++) {
        iv_buf_text(out, i == 0 ? " [" : ", ");
        printable(out, v->witnesses[i].id);
    }
    if (v->witness_count > 0) {
        iv_buf_text(out, v->witness_total > v->witness_count ? ", …]" : "]");
    }
    iv_buf_text(out, v->waiver != NULL ? " (waived)" : "");
    iv_buf_text(out, v->rule->mode == IV_MODE_OBSERVE ? " (observed)" : "");
    iv_buf_text(out, v->kind == IV_UPDATED ? " (more witnesses)" : "");
    iv_buf_text(out, v->kind == IV_CONTRADICTED ? " (contradicted by a late event)" : "");
}

static void finding(struct iv_replay_output *output, const struct iv_verdict *verdict)
{
    /* Sorted, a verdict is one line in its last state: that there was an earlier one is no news then. */
    struct iv_verdict v = *verdict;
    v.kind = v.kind == IV_UPDATED && output->findings.sort ? IV_VIOLATED : v.kind;
    const struct iv_brief_marks marks = {.update = v.kind == IV_UPDATED,
                                         .contradicted = v.kind == IV_CONTRADICTED};
    switch (output->format) {
    case IV_REPLAY_OCSF:
        iv_ocsf_finding(&output->line, output->baseline, &v);
        break;
    case IV_REPLAY_BRIEF:
        iv_brief(&output->line, &v, &marks);
        break;
    case IV_REPLAY_TABLE:
        table_row(&output->line, &v);
        break;
    }
}

void iv_replay_output_verdict(void *ctx, const struct iv_verdict *verdict)
{
    struct iv_replay_output *output = ctx;
    if (verdict->rule->mode == IV_MODE_CANARY) {
        return;
    }
    bool open = verdict->kind == IV_OPEN;
    bool undecided = open || verdict->kind == IV_INCONCLUSIVE;
    output->violations += verdict->kind == IV_VIOLATED;
    output->suppressed += verdict->kind == IV_VIOLATED && verdict->waiver != NULL;
    output->undecided_count += undecided;
    struct iv_lines *to = undecided ? &output->undecided : &output->findings;
    if (to->to == NULL || (!undecided && output->modes.compare && verdict->waiver != NULL)) {
        return;
    }
    iv_buf_clear(&output->line);
    if (undecided) {
        const struct iv_brief_marks marks = {.verdict = open ? "open" : "inconclusive"};
        iv_brief(&output->line, verdict, &marks);
    } else {
        finding(output, verdict);
    }
    output->line_failed |= iv_buf_failed(&output->line);
    iv_lines_put(to, verdict, iv_buf_slice(&output->line));
}

void iv_replay_output_dead_letter(struct iv_replay_output *output, const struct iv_record *record,
                                  struct iv_str reason)
{
    output->dead_letter_count++;
    if (output->dead_letters.to == NULL) {
        return;
    }
    iv_buf_clear(&output->letter);
    iv_dead_letter_json(&output->letter, record, reason);
    output->letter_failed |= iv_buf_failed(&output->letter);
    iv_lines_put_text(&output->dead_letters, iv_buf_slice(&output->letter));
}

iv_rc iv_replay_output_finish(struct iv_replay_output *output, struct iv_err *err)
{
    struct iv_rc_s findings = output->modes.compare ? IV_OK : iv_lines_finish(&output->findings, err);
    struct iv_rc_s undecided = iv_lines_finish(&output->undecided, iv_ok(findings) ? err : NULL);
    bool fine = iv_ok(findings) && iv_ok(undecided);
    struct iv_rc_s dead_letters = iv_lines_finish(&output->dead_letters, fine ? err : NULL);
    TRY(findings);
    TRY(undecided);
    TRY(dead_letters);
    ENSURE(!output->line_failed && !output->letter_failed, err, IV_E_NOMEM,
           "a line to be written found no memory");
    return IV_OK;
}
