/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

Test(file, a_file_is_read_whole)
{
    struct iv_buf buf;
    iv_buf_init(&buf, 1u << 20);

    cr_assert(iv_ok(iv_file_read(&buf, IV_STR(IV_SOURCE_DIR "/LICENSE"), NULL)));

    cr_expect(gt(sz, buf.n, 10000));
    cr_expect(ne(ptr, strstr(buf.p, "Apache License"), NULL));
    iv_buf_deinit(&buf);
}

Test(file, what_cannot_be_read_says_why)
{
    struct iv_buf buf;
    struct iv_err err;
    iv_buf_init(&buf, 100);

    cr_expect(eq(int, (int)iv_file_read(&buf, IV_STR("/nowhere/at all"), &err).code, (int)IV_E_ABSENT));
    cr_expect(eq(str, err.text, "cannot open '/nowhere/at all': No such file or directory"));
    cr_expect(eq(int, (int)iv_file_read(&buf, IV_STR(IV_SOURCE_DIR), &err).code, (int)IV_E_IO));
    cr_expect(eq(int, (int)iv_file_read(&buf, IV_STR(IV_SOURCE_DIR "/LICENSE"), &err).code, (int)IV_E_LIMIT));
    iv_buf_deinit(&buf);
}
