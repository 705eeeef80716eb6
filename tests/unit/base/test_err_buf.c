/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static iv_rc detect(struct iv_err *err)
{
    return iv_err_set(err, IV_E_RANGE, "grace must be at most %ds", 10);
}

static iv_rc pass_on(struct iv_err *err)
{
    TRY(detect(err));
    return IV_OK;
}

Test(err, the_sentence_of_the_detector_arrives)
{
    struct iv_err err = {0};
    struct iv_rc_s rc = pass_on(&err);
    iv_err_wrap(&err, "%s:%d", "prod.yaml", 14);
    cr_expect(eq(int, rc.code, IV_E_RANGE));
    cr_expect(eq(str, err.text, (char *)"prod.yaml:14: grace must be at most 10s"));
    cr_expect(eq(int, iv_code_class(rc.code), IV_CLASS_REJECT));
    cr_expect(eq(str, (char *)iv_code_name(rc.code), (char *)"RANGE"));
}

Test(err, a_wrap_that_does_not_fit_keeps_what_fits)
{
    struct iv_err err = {0};
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    (void)iv_ok(iv_err_set(&err, IV_E_IO, "%s", long_text));
    iv_err_wrap(&err, "outer");
    cr_expect(eq(sz, strlen(err.text), sizeof err.text - 1));
    cr_expect(eq(int, strncmp(err.text, "outer: xxx", 10), 0));
}

Test(buf, holds_to_its_maximum)
{
    struct iv_buf buf;
    iv_buf_init(&buf, 8);
    iv_buf_text(&buf, "12345");
    iv_buf_text(&buf, "6789");
    cr_expect(iv_buf_failed(&buf));
    cr_expect(eq(sz, buf.n, 5));
    iv_buf_clear(&buf);
    iv_buf_printf(&buf, "%d", 12345678);
    cr_expect(not(iv_buf_failed(&buf)));
    cr_expect(eq(str, buf.p, (char *)"12345678"));
    iv_buf_deinit(&buf);
}

Test(buf, outgrows_memory_that_was_lent)
{
    char few[8];
    struct iv_buf buf;
    iv_buf_init_lent(&buf, few, sizeof few, 64);
    uint64_t before = iv_alloc_calls();

    iv_buf_text(&buf, "1234567");
    cr_expect(eq(u64, iv_alloc_calls(), before));
    cr_expect(buf.p == few);
    iv_buf_text(&buf, "89");

    cr_expect(buf.p != few);
    cr_expect(eq(str, buf.p, (char *)"123456789"));
    iv_buf_deinit(&buf);
}
