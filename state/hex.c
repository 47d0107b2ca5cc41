/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/hex.c: hexadecimal and decimal text to bytes and numbers, and back (cevm/hex.h).
 */
#include <cevm/crypto.h>
#include <cevm/hex.h>

/** The value of a hex digit, or -1. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

static bool has_prefix(const char *text, size_t length)
{
    return length >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

bool cevm_hex_decode(uint8_t *out, size_t *out_size, const char *text, size_t length)
{
    if (has_prefix(text, length)) {
        text += 2;
        length -= 2;
    }
    if (length % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < length; i += 2) {
        int high = digit_value(text[i]);
        int low = digit_value(text[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i / 2] = (uint8_t)(high * 16 + low);
    }
    *out_size = length / 2;
    return true;
}

bool cevm_hex_decode_exact(uint8_t *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    size_t digits = has_prefix(text, length) ? length - 2 : length;
    size_t decoded = 0;
    /* Measured first: out has room for `size` bytes only. */
    return digits / 2 == size && cevm_hex_decode(out, &decoded, text, length);
}

void cevm_hex_encode(char *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; ++i) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * size] = '\0';
}

static bool u256_from_hex(cevm_u256 *out, const char *digits)
{
    cevm_u256 value = {{0, 0, 0, 0}};
    for (; *digits != '\0'; ++digits) {
        int digit = digit_value(*digits);
        if (digit < 0 || value.w[3] >> 60 != 0) {
            return false;
        }
        for (int i = 3; i > 0; --i) {
            value.w[i] = value.w[i] << 4 | value.w[i - 1] >> 60;
        }
        value.w[0] = value.w[0] << 4 | (uint64_t)digit;
    }
    *out = value;
    return true;
}

static bool u256_from_decimal(cevm_u256 *out, const char *digits)
{
    uint32_t part[8] = {0}; /* least significant first */
    if (*digits == '\0') {
        return false;
    }
    for (; *digits != '\0'; ++digits) {
        if (*digits < '0' || *digits > '9') {
            return false;
        }
        uint64_t carry = (uint64_t)(*digits - '0');
        for (int i = 0; i < 8; ++i) {
            carry += (uint64_t)part[i] * 10;
            part[i] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry != 0) {
            return false;
        }
    }
    for (int i = 0; i < 4; ++i) {
        out->w[i] = (uint64_t)part[2 * i + 1] << 32 | part[2 * i];
    }
    return true;
}

bool cevm_u256_from_text(cevm_u256 *out, const char *text)
{
    return has_prefix(text, strlen(text)) ? u256_from_hex(out, text + 2) : u256_from_decimal(out, text);
}

void cevm_u256_to_hex(char *out, const cevm_u256 *value)
{
    uint8_t bytes[32];
    char digits[65];
    cevm_u256_to_be(bytes, value);
    cevm_hex_encode(digits, bytes, sizeof bytes);
    size_t skip = 0;
    while (skip < 63 && digits[skip] == '0') {
        ++skip;
    }
    out[0] = '0';
    out[1] = 'x';
    memcpy(out + 2, digits + skip, 65 - skip); /* with the NUL */
}

void cevm_u256_to_decimal(char *out, const cevm_u256 *value)
{
    uint32_t part[8]; /* most significant first */
    char reversed[81];
    size_t length = 0;
    for (int i = 0; i < 4; ++i) {
        part[2 * i] = (uint32_t)(value->w[3 - i] >> 32);
        part[2 * i + 1] = (uint32_t)value->w[3 - i];
    }
    /* Nine digits at a time: nine rounds give 81, and 2^256 has 78. */
    for (int round = 0; round < 9; ++round) {
        uint64_t rest = 0;
        for (int i = 0; i < 8; ++i) {
            rest = rest << 32 | part[i];
            part[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        for (int i = 0; i < 9; ++i, rest /= 10) {
            reversed[length++] = (char)('0' + rest % 10);
        }
    }
    while (length > 1 && reversed[length - 1] == '0') {
        --length;
    }
    while (length > 0) {
        *out++ = reversed[--length];
    }
    *out = '\0';
}

void cevm_address_to_text(char *out, const cevm_address *address)
{
    cevm_hash hash;
    char *digits = out + 2;
    memcpy(out, "0x", 2);
    cevm_hex_encode(digits, address->bytes, sizeof address->bytes);
    cevm_keccak256(&hash, digits, 40);
    for (size_t i = 0; i < 40; i++) {
        unsigned nibble = i % 2 == 0 ? hash.bytes[i / 2] >> 4 : hash.bytes[i / 2] & 15u;
        if (nibble >= 8 && digits[i] >= 'a') {
            digits[i] = (char)(digits[i] - 'a' + 'A');
        }
    }
}
