/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/precompile_call.h: calls a precompiled contract as a frame would, with memory of exactly the sizes that its
 * cost asks for, so that a sanitizer sees each byte too many. Include after cmocka.h.
 */
#ifndef CEVM_TESTS_PRECOMPILE_CALL_H
#define CEVM_TESTS_PRECOMPILE_CALL_H

#include <stdio.h>
#include <stdlib.h>

#include <cevm/hex.h>
#include <cevm/precompile.h>

/** What a call gave. output is the caller's to free; NULL unless status is OK. */
typedef struct call_result {
    cevm_precompile_status status;
    uint64_t gas;
    uint8_t *output;
    size_t size;
} call_result;

static inline const cevm_precompile *contract_at(unsigned number, cevm_fork fork)
{
    cevm_address address = {{0}};
    address.bytes[18] = (uint8_t)(number >> 8);
    address.bytes[19] = (uint8_t)number;
    return cevm_precompile_find(&address, fork);
}

static inline uint64_t price_of(unsigned number, cevm_fork fork, const void *data, size_t size)
{
    const cevm_precompile *contract = contract_at(number, fork);
    const cevm_bytes input = {data, size};
    assert_non_null(contract);
    return contract->cost(input, fork).gas;
}

static inline call_result call(unsigned number, cevm_fork fork, const void *data, size_t size)
{
    const cevm_precompile *contract = contract_at(number, fork);
    call_result r = {CEVM_PRECOMPILE_NOMEM, 0, NULL, 0};
    uint8_t *copy = size != 0 ? malloc(size) : NULL; /* NULL is what an empty input may come as */
    assert_non_null(contract);
    if (size != 0) {
        assert_non_null(copy);
        memcpy(copy, data, size);
    }
    const cevm_bytes input = {copy, size};
    const cevm_precompile_cost cost = contract->cost(input, fork);
    uint8_t *output = malloc(cost.output_size + (cost.output_size == 0));
    uint8_t *scratch = malloc(cost.scratch_size + (cost.scratch_size == 0));
    assert_non_null(output);
    assert_non_null(scratch);
    memset(output, 0xaa, cost.output_size); /* neither is promised to be zero */
    memset(scratch, 0xaa, cost.scratch_size);
    r.gas = cost.gas;
    r.status = contract->run(output, &r.size, input, fork, scratch);
    free(scratch);
    free(copy);
    if (r.status == CEVM_PRECOMPILE_OK) {
        assert_in_range(r.size, 0, cost.output_size);
        r.output = output;
    } else {
        free(output);
    }
    return r;
}

/** The bytes of a hex text, to be freed; *size is their number. */
static inline uint8_t *bytes_of_hex(const char *text, size_t *size)
{
    const size_t length = strlen(text);
    uint8_t *bytes = malloc(length / 2 + 1);
    assert_non_null(bytes);
    assert_true(cevm_hex_decode(bytes, size, text, length));
    return bytes;
}

static inline call_result call_hex(unsigned number, cevm_fork fork, const char *input)
{
    size_t size = 0;
    uint8_t *bytes = bytes_of_hex(input, &size);
    const call_result r = call(number, fork, bytes, size);
    free(bytes);
    return r;
}

/** A call must succeed with this output. */
static inline void expect_output(call_result r, const char *expected)
{
    size_t size = 0;
    uint8_t *bytes = bytes_of_hex(expected, &size);
    assert_int_equal(r.status, CEVM_PRECOMPILE_OK);
    assert_int_equal(r.size, size);
    assert_memory_equal(r.output, bytes, size);
    free(bytes);
    free(r.output);
}

#endif
