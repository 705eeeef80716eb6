/* SPDX-License-Identifier: Apache-2.0 */
#include "console/metrics.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

enum { TEXT_BYTES_MAX = 1 << 22 };

static struct iv_metrics *fresh(void)
{
    struct iv_metrics *m = NULL;
    cr_assert(iv_ok(iv_metrics_new(&m, NULL)));
    return m;
}

static bool text_has(struct iv_metrics *m, const char *line)
{
    struct iv_buf out;
    iv_buf_init(&out, TEXT_BYTES_MAX);
    iv_metrics_write(&out, m);
    bool found = !iv_buf_failed(&out) && strstr(out.p, line) != NULL;
    iv_buf_deinit(&out);
    return found;
}

Test(metrics, a_counter_of_two_labels_is_one_line)
{
    IV_AUTO(iv_metrics_freep) struct iv_metrics *m = fresh();

    iv_series_add(IV_SERIES(m, FINDINGS, IV_STR("TOK-002"), IV_STR("critical")), 2);
    iv_series_add(IV_SERIES(m, FINDINGS, IV_STR("TOK-002"), IV_STR("critical")), 1);

    cr_expect(text_has(m, "\ninvigil_findings_total{rule=\"TOK-002\",severity=\"critical\"} 3\n"));
    cr_expect(text_has(m, "\n# TYPE invigil_findings_total counter\n"));
}

Test(metrics, a_counter_without_labels_is_shown_before_it_was_counted)
{
    IV_AUTO(iv_metrics_freep) struct iv_metrics *m = fresh();

    cr_expect(text_has(m, "\ninvigil_detection_seconds_count 0\n"));
    cr_expect(not(text_has(m, "\ninvigil_outbox_pending ")), "a gauge has no value before it is set");
}

Test(metrics, label_values_are_escaped)
{
    IV_AUTO(iv_metrics_freep) struct iv_metrics *m = fresh();

    iv_series_add(IV_SERIES(m, RULE_FAILURES, IV_STR("a\"b\\c\nd")), 1);

    cr_expect(text_has(m, "invigil_rule_failures_total{rule=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

Test(metrics, a_histogram_counts_up_to_infinity)
{
    IV_AUTO(iv_metrics_freep) struct iv_metrics *m = fresh();
    struct iv_series *s = iv_metrics_only(m, IV_METRIC_DETECTION);

    iv_series_observe(s, IV_NS_PER_MS);
    iv_series_observe(s, 3 * IV_NS_PER_MS);
    iv_series_observe(s, 3600 * IV_NS_PER_S);

    cr_expect(text_has(m, "invigil_detection_seconds_bucket{le=\"0.001\"} 1\n"));
    cr_expect(text_has(m, "invigil_detection_seconds_bucket{le=\"0.005\"} 2\n"));
    cr_expect(text_has(m, "invigil_detection_seconds_bucket{le=\"300\"} 2\n"));
    cr_expect(text_has(m, "invigil_detection_seconds_bucket{le=\"+Inf\"} 3\n"));
    cr_expect(text_has(m, "invigil_detection_seconds_sum 3600.004\n"));
    cr_expect(text_has(m, "invigil_detection_seconds_count 3\n"));
}

Test(metrics, a_quantile_lies_within_its_bucket)
{
    IV_AUTO(iv_metrics_freep) struct iv_metrics *m = fresh();
    cr_expect(isnan(iv_metrics_quantile(m, IV_METRIC_DETECTION, 0.5)));

    for (int i = 0; i < 100; i++) {
        iv_series_observe(iv_metrics_only(m, IV_METRIC_DETECTION), 7 * IV_NS_PER_MS);
    }

    double p99 = iv_metrics_quantile(m, IV_METRIC_DETECTION, 0.99);
    cr_expect(p99 > 0.005 && p99 <= 0.010, "p99 is %g", p99);
}

Test(metrics, an_instant_that_is_not_there_leaves_no_line)
{
    IV_AUTO(iv_metrics_freep) struct iv_metrics *m = fresh();
    struct iv_series *s = IV_SERIES(m, WATERMARK, IV_STR("ledger"));

    iv_series_set_time(s, 1500 * IV_NS_PER_MS);
    cr_expect(text_has(m, "invigil_watermark_timestamp_seconds{stream=\"ledger\"} 1.5\n"));

    iv_series_set_time(s, IV_NS_MIN);
    cr_expect(not(text_has(m, "invigil_watermark_timestamp_seconds{stream=\"ledger\"}")));
}

Test(metrics, more_series_than_fit_are_counted_as_other)
{
    IV_AUTO(iv_metrics_freep) struct iv_metrics *m = fresh();

    for (int i = 0; i < 2000; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "field%d", i);
        iv_series_add(IV_SERIES(m, DEAD_LETTERS, IV_STR("ledger"), iv_str_of(name)), 1);
    }

    cr_expect(text_has(m, "invigil_dead_letters_total{topic=\"other\",reason=\"other\"} 1488\n"));
    cr_expect(eq(dbl, iv_metrics_sum(m, IV_METRIC_DEAD_LETTERS), 2000.0));
}

Test(metrics, every_metric_has_a_name_by_the_rules_and_a_sentence_of_help)
{
    static const struct {
        const char *name;
        const char *help;
        const char *kind;
    } rows[] = {
#define METRIC(id, kind, name, labels, help) {name, help, #kind},
#include "console/metrics.def"
#undef METRIC
    };

    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        size_t n = strlen(rows[i].name);
        bool total = n > 6 && strcmp(rows[i].name + n - 6, "_total") == 0;
        bool counter = strncmp(rows[i].kind, "COUNTER", 7) == 0;
        cr_expect(strncmp(rows[i].name, "invigil_", 8) == 0, "%s", rows[i].name);
        cr_expect(eq(int, total, counter), "%s", rows[i].name);
        cr_expect(rows[i].help[strlen(rows[i].help) - 1] == '.', "%s", rows[i].help);
    }
}
