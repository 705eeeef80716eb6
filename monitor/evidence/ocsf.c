/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/ocsf_internal.h"

#include "base/digest.h"
#include "base/guard.h"

#include <stdio.h>

/* OCSF names: severity_id is info 1 to critical 5. */
static const char *const severity_captions[] = {
    [IV_SEV_INFO] = "Informational", [IV_SEV_LOW] = "Low",           [IV_SEV_MEDIUM] = "Medium",
    [IV_SEV_HIGH] = "High",          [IV_SEV_CRITICAL] = "Critical",
};

void iv_ocsf_classification(struct iv_json *j, const struct iv_ocsf_class *c, int activity_id,
                            const char *activity, enum iv_severity severity)
{
    char type_name[96];
    (void)snprintf(type_name, sizeof type_name, "%s: %s", c->class_name, activity);
    iv_json_int(j, "category_uid", c->category_uid);
    iv_json_text(j, "category_name", c->category_name);
    iv_json_int(j, "class_uid", c->class_uid);
    iv_json_text(j, "class_name", c->class_name);
    iv_json_int(j, "activity_id", activity_id);
    iv_json_text(j, "activity_name", activity);
    iv_json_int(j, "type_uid", (int64_t)c->class_uid * 100 + activity_id);
    iv_json_text(j, "type_name", type_name);
    iv_json_int(j, "severity_id", (int64_t)severity + 1);
    iv_json_text(j, "severity", severity_captions[severity]);
}

int64_t iv_ocsf_ms(iv_ns t)
{
    return t / IV_NS_PER_MS - (t % IV_NS_PER_MS < 0 ? 1 : 0);
}

void iv_ocsf_hex(struct iv_json *j, const char *name, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * IV_DIGEST_MAX_BYTES];
    IV_CHECK(n <= IV_DIGEST_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    iv_json_str(j, name, (struct iv_str){hex, 2 * n});
}

void iv_ocsf_product(struct iv_json *j)
{
    iv_json_text(j, "version", IV_OCSF_VERSION);
    iv_json_open_object(j, "product");
    iv_json_text(j, "name", "Invigil");
    iv_json_text(j, "vendor_name", "Invigil");
    iv_json_text(j, "version", IV_PRODUCT_VERSION);
    iv_json_close_object(j);
}

void iv_ocsf_tag(struct iv_json *j, const char *name, struct iv_str value)
{
    iv_json_open_object(j, NULL);
    iv_json_text(j, "name", name);
    iv_json_str(j, "value", value);
    iv_json_close_object(j);
}
