/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Any input to any precompiled contract at any fork: byte 0 selects the row, byte 1 the fork, the rest is the input. Output
 * and scratch have exactly the sizes that the price asks for, so a sanitizer sees each byte too many; the same call twice
 * must give the same bytes, whatever the memory held before.
 */
#include <cevm/precompile.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the fuzzer will wait for: a million rounds of BLAKE2F are some ten milliseconds, more under a sanitizer. */
static const uint64_t gas_limit = 1000000;

static void *filled(size_t size, int byte)
{
    void *block = malloc(size != 0 ? size : 1);
    if (block == NULL) {
        abort();
    }
    memset(block, byte, size);
    return block;
}

/* The output of one call, to be freed, and its size; NULL when there is none. */
static uint8_t *run(const cevm_precompile *row, size_t *size, cevm_bytes input, cevm_fork fork, int byte)
{
    const cevm_precompile_cost cost = row->cost(input, fork);
    uint8_t *output = filled(cost.output_size, byte);
    void *scratch = filled(cost.scratch_size, byte);
    const cevm_precompile_status status = row->run(output, size, input, fork, scratch);
    free(scratch);
    if (status != CEVM_PRECOMPILE_OK) {
        free(output);
        return NULL;
    }
    if (*size > cost.output_size) {
        abort();
    }
    return output;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t rows = 0;
    const cevm_precompile *table = cevm_precompiles(&rows);
    if (size < 2) {
        return 0;
    }
    const cevm_precompile *row = &table[data[0] % rows];
    const cevm_fork fork = (cevm_fork)((int)row->since + data[1] % ((int)CEVM_FORK_COUNT - (int)row->since));
    const cevm_bytes input = {data + 2, size - 2};
    if (row->cost(input, fork).gas > gas_limit) {
        return 0;
    }
    size_t first_size = 0;
    size_t second_size = 0;
    uint8_t *first = run(row, &first_size, input, fork, 0x00);
    uint8_t *second = run(row, &second_size, input, fork, 0xff);
    if ((first == NULL) != (second == NULL) ||
        (first != NULL && (first_size != second_size || memcmp(first, second, first_size) != 0))) {
        abort();
    }
    free(first);
    free(second);
    return 0;
}
