/* SPDX-License-Identifier: Apache-2.0 */
#include "app/store_option.h"

#include "base/guard.h"
#include "baseline/problems.h"
#include "daemon/config.h"
#include "daemon/load.h"
#include "evidence/store.h"

#include <pwd.h>
#include <unistd.h>

iv_rc iv_store_option(struct iv_str *out, struct iv_config **holder, const char *store, const char *config,
                      struct iv_err *err)
{
    if (store != NULL) {
        *out = iv_str_of(store);
        return IV_OK;
    }
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    TRY(iv_problems_new(&problems, err));
    iv_problems_keep_secrets(problems);
    struct iv_rc_s rc =
        iv_config_load(holder, config, "console", problems, err); /* the path alone: no secret */
    iv_print_problems(problems);
    TRY(rc);
    *out = (*holder)->store_path;
    return IV_OK;
}

iv_rc iv_store_option_open(struct iv_store **out, struct iv_str path, struct iv_err *err)
{
    ENSURE(access(path.p, F_OK) == 0, err, IV_E_STORE, "there is no store '" IV_STR_FMT "'",
           IV_STR_ARG(path));
    return iv_store_open(out, path, err);
}

struct iv_str iv_store_option_user(void)
{
    const struct passwd *user = getpwuid(geteuid());
    return iv_str_of(user == NULL ? "somebody" : user->pw_name);
}
