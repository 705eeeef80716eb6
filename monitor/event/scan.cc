/* SPDX-License-Identifier: Apache-2.0 */
#include "event/scan.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <simdjson.h>

struct iv_scanner {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

namespace
{
constexpr size_t first_capacity = 16 * 1024;

iv_scan_fault fault_of(simdjson::error_code code)
{
    switch (code) {
    case simdjson::SUCCESS:
        return IV_SCAN_OK;
    case simdjson::UTF8_ERROR:
        return IV_SCAN_UTF8;
    case simdjson::UNCLOSED_STRING:
        return IV_SCAN_UNCLOSED;
    case simdjson::UNESCAPED_CHARS:
        return IV_SCAN_CONTROL;
    case simdjson::EMPTY:
        return IV_SCAN_EMPTY;
    default:
        return IV_SCAN_MEMORY;
    }
}

/* Whether the number's leading digit stands before the point, so that being out of range means too great. */
bool is_great(const char *text, size_t n)
{
    long place = 0; /* of the first digit that is not 0, counted from the point */
    bool point = false;
    bool found = false;
    size_t i = 0;
    for (; i < n && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '.') {
            point = true;
        } else if (text[i] >= '0' && text[i] <= '9') {
            found = found || text[i] != '0';
            place += found && !point ? 1 : 0;
            place -= !found && point ? 1 : 0;
        }
    }
    long exponent = 0;
    bool negative = i + 1 < n && text[i + 1] == '-';
    for (i++; i < n; i++) {
        if (text[i] >= '0' && text[i] <= '9' && exponent < 1000000000) {
            exponent = exponent * 10 + (text[i] - '0');
        }
    }
    return place + (negative ? -exponent : exponent) > 0;
}
} // namespace

iv_scanner *iv_scanner_new(void)
{
    auto *scan = new (std::nothrow) iv_scanner();
    if (scan == nullptr) {
        return nullptr;
    }
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            first_capacity, 1, scan->parser) != simdjson::SUCCESS) {
        delete scan;
        return nullptr;
    }
    return scan;
}

void iv_scanner_free(iv_scanner *scan)
{
    delete scan;
}

iv_scan_fault iv_scan(struct iv_scanner *scan, const char *text, size_t n, const uint32_t **indexes,
                      size_t *count)
{
    if (n >= scan->parser->capacity() && scan->parser->set_capacity(2 * n) != simdjson::SUCCESS) {
        return IV_SCAN_MEMORY;
    }
    iv_scan_fault fault = fault_of(
        scan->parser->stage1(reinterpret_cast<const uint8_t *>(text), n, simdjson::stage1_mode::regular));
    if (fault == IV_SCAN_OK) {
        *indexes = scan->parser->structural_indexes.get();
        *count = scan->parser->n_structural_indexes;
    }
    return fault;
}

double iv_scan_double(const char *text, size_t n)
{
    double d = 0;
    if (std::from_chars(text, text + n, d).ec == std::errc::result_out_of_range) {
        double magnitude = is_great(text, n) ? std::numeric_limits<double>::infinity() : 0.0;
        return std::copysign(magnitude, text[0] == '-' ? -1.0 : 1.0);
    }
    return d;
}

size_t iv_shortest_digits(char digits[32], int *exponent, double d)
{
    char text[32];
    const char *end = std::to_chars(text, text + sizeof text, d, std::chars_format::scientific).ptr;
    size_t n = 0;
    const char *p = text;
    for (; *p != 'e'; p++) {
        if (*p != '.') {
            digits[n++] = *p;
        }
    }
    p += p[1] == '+' ? 2 : 1;
    std::from_chars(p, end, *exponent);
    *exponent += 1;
    return n;
}
