/* SPDX-License-Identifier: Apache-2.0 */
/* What the operating system says about this process, as metrics. */
#pragma once

#include "console/metrics.h"

void iv_process_measure(struct iv_metrics *metrics);
