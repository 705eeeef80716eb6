/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "stream/member.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct iv_str value_of(const struct iv_member *m, const char *name)
{
    struct iv_str value = IV_STR("absent");
    for (size_t i = 0; i < m->count; i++) {
        value = iv_str_eq(m->properties[i].name, iv_str_of(name)) ? m->properties[i].value : value;
    }
    return value;
}

static void expect_value(const struct iv_member *m, const char *name, const char *want)
{
    cr_expect(iv_str_eq(value_of(m, name), iv_str_of(want)), "%s is " IV_STR_FMT, name,
              IV_STR_ARG(value_of(m, name)));
}

Test(member, a_consumer_has_a_group_and_a_name_of_its_own)
{
    const struct iv_property kafka[] = {{IV_STR("group.instance.id"), IV_STR("pod-3")},
                                        {IV_STR("bootstrap.servers"), IV_STR("broker:9092")},
                                        {IV_STR("group.id"), IV_STR("watch")}};
    struct iv_member m;
    struct iv_err err;

    cr_assert(iv_ok(iv_member_init(&m, kafka, IV_COUNT(kafka), IV_STR(".exchange"), IV_STR("-1"), &err)));

    cr_expect(eq(sz, m.count, IV_COUNT(kafka)));
    expect_value(&m, "group.id", "watch.exchange");
    expect_value(&m, "group.instance.id", "pod-3-1");
    expect_value(&m, "bootstrap.servers", "broker:9092");
    iv_member_deinit(&m);
}

Test(member, without_a_group_it_has_ours_and_without_a_name_it_has_none)
{
    struct iv_member m;
    struct iv_err err;

    cr_assert(iv_ok(iv_member_init(&m, NULL, 0, IV_STR(""), IV_STR("-0"), &err)));

    expect_value(&m, "group.id", "invigil");
    expect_value(&m, "group.instance.id", "absent");
    iv_member_deinit(&m);
}

Test(member, one_that_is_to_have_no_name_has_none)
{
    const struct iv_property kafka[] = {{IV_STR("group.instance.id"), IV_STR("pod-3")},
                                        {IV_STR("client.id"), IV_STR("watch")}};
    struct iv_member m;
    struct iv_err err;

    cr_assert(iv_ok(iv_member_init(&m, kafka, IV_COUNT(kafka), IV_STR(""), (struct iv_str){NULL, 0}, &err)));

    expect_value(&m, "group.instance.id", "absent");
    expect_value(&m, "client.id", "watch");
    iv_member_deinit(&m);
}

Test(member, of_two_lists_the_second_stands_behind)
{
    const struct iv_property ours[] = {{IV_STR("acks"), IV_STR("all")}};
    const struct iv_property theirs[] = {{IV_STR("acks"), IV_STR("1")}, {IV_STR("linger.ms"), IV_STR("5")}};
    IV_AUTO(iv_freep) struct iv_property *joined = NULL;
    struct iv_err err;

    cr_assert(iv_ok(iv_properties_join(&joined, theirs, IV_COUNT(theirs), ours, IV_COUNT(ours), &err)));

    cr_expect(iv_str_eq(joined[1].name, IV_STR("linger.ms")));
    cr_expect(iv_str_eq(joined[2].value, IV_STR("all")));
}
