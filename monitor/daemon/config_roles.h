/* SPDX-License-Identifier: Apache-2.0 */
/* Which roles a process has, as its configuration or its command line says. */
#pragma once

#include "baseline/yaml_fields.h"

/* node NULL: all of them. Mistakes go to problems. */
unsigned iv_config_roles_read(const struct iv_yaml_node *node, struct iv_problems *problems);
/* "detect,console"; names NULL: 0. IV_E_REFUSED. */
iv_rc iv_config_roles_parse(unsigned *out, const char *names, struct iv_err *err);
