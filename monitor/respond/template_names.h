/* SPDX-License-Identifier: Apache-2.0 */
/* The names that references may have, apart from the trigger's fields. Internal to template.c and
 * template_render.c. */
#pragma once

#include "base/str.h"

enum { IV_FINDING_UID, IV_FINDING_TIME, IV_FINDING_SEVERITY, IV_FINDING_CRITERIA };
enum { IV_RULE_ID, IV_RULE_TITLE, IV_RULE_SEVERITY };
enum { IV_EXECUTION_KEY, IV_EXECUTION_PLAYBOOK };
enum { IV_STEP_KEY, IV_STEP_NAME };
