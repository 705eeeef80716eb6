/* SPDX-License-Identifier: Apache-2.0 */
/* What the demo makes of the playbooks that ship. */
#include "app/demo/guards.h"
#include "app/own_folder.h"
#include "app/shipped.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/guard.h"
#include "daemon/load.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* How often the text stands in it. */
static size_t count(struct iv_str text, const char *what)
{
    size_t found = 0;
    for (const char *at = text.p; (at = memmem(at, text.n - (size_t)(at - text.p), what, strlen(what)));
         at++) {
        found++;
    }
    return found;
}

Test(demo, lifts_the_shares_of_its_playbooks_guards_and_leaves_their_figures)
{
    struct iv_own_folder folder;
    struct iv_err err = {.text = ""};
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    char path[4096];
    iv_buf_init(&text, 1u << 20);
    cr_assert(iv_ok(iv_own_folder_make(&folder, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_shipped_write(folder.path, IV_STR("keys: []\n"), &err)), "%s", err.text);

    cr_assert(iv_ok(iv_demo_guards(folder.path, &err)), "%s", err.text);

    struct iv_rc_s loaded = iv_load_baseline(&baseline, NULL, iv_str_of(folder.path), &err);
    cr_expect(iv_ok(loaded), "%s", err.text);
    (void)snprintf(path, sizeof path, "%s/remediations/terminate-sandbox.yaml", folder.path);
    cr_assert(iv_ok(iv_file_read(&text, iv_str_of(path), &err)), "%s", err.text);
    cr_expect(count(iv_buf_slice(&text), "\n  enclaves: {minute: 120, hour: 1000, day: 5000, share: 1}\n") ==
              1);
    cr_expect(count(iv_buf_slice(&text), "share:") == 3, "of agents, tenants and enclaves");
    iv_own_folder_remove(&folder);
}
