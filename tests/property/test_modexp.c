/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modexp on random inputs of many shapes against square-and-multiply, on the edges of each of its ways against mpz_powm, and its
 * price against the formulas of EIP-198,
 * EIP-2565 and EIP-7883 in numbers without bound. SEED= repeats a run, ITERATIONS= lengthens it.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gmp.h>

#include <cevm/precompile.h>

#include "tests/property/random.h"

enum { WORD = 32, HEADER = 3 * WORD, LONGEST = 300, ROOM = HEADER + 3 * LONGEST + 64 };

/* The forks at which prices changed, the last with EIP-7823's bound too. */
static const cevm_fork forks[] = {CEVM_BYZANTIUM, CEVM_BERLIN, CEVM_OSAKA};
enum { FORKS = sizeof forks / sizeof forks[0] };

typedef struct run_state {
    uint64_t seed;
    uint64_t random;
    uint64_t iterations;
    const cevm_precompile *contract;
} run_state;

static uint64_t next_random(run_state *s) { return random_next(&s->random); }

static size_t below(run_state *s, size_t limit) { return (size_t)(next_random(s) % limit); }

/* The model -------------------------------------------------------------------------------------------------------- */

/* The number in input[offset, offset + length), zeros beyond the input; offset and length fit memory. */
static void read_number(mpz_t out, cevm_bytes input, size_t offset, size_t length)
{
    mpz_set_ui(out, 0);
    for (size_t i = 0; i < length; ++i) {
        mpz_mul_2exp(out, out, 8);
        mpz_add_ui(out, out, offset + i < input.size ? input.data[offset + i] : 0);
    }
}

/* From the highest bit of the exponent down, with nothing but products and remainders. */
static void square_and_multiply(mpz_t out, const mpz_t base, const mpz_t exponent, const mpz_t modulus)
{
    mpz_set_ui(out, 1);
    mpz_mod(out, out, modulus);
    for (size_t bit = mpz_sizeinbase(exponent, 2); bit-- > 0;) {
        mpz_mul(out, out, out);
        mpz_mod(out, out, modulus);
        if (mpz_tstbit(exponent, bit) != 0) {
            mpz_mul(out, out, base);
            mpz_mod(out, out, modulus);
        }
    }
}

/* EIP-198's mult_complexity, or that of EIP-2565 or EIP-7883, of a length x. */
static void model_complexity(mpz_t out, const mpz_t x, cevm_fork fork)
{
    mpz_t term;
    mpz_init(term);
    if (fork == CEVM_BYZANTIUM) {
        mpz_mul(out, x, x);
        if (mpz_cmp_ui(x, 64) > 0) {
            const bool middle = mpz_cmp_ui(x, 1024) <= 0;
            mpz_fdiv_q_ui(out, out, middle ? 4 : 16);
            mpz_mul_ui(term, x, middle ? 96 : 480);
            mpz_add(out, out, term);
            mpz_sub_ui(out, out, middle ? 3072 : 199680);
        }
    } else {
        mpz_cdiv_q_ui(term, x, 8);
        mpz_mul(out, term, term);
        if (fork == CEVM_OSAKA) {
            mpz_mul_ui(out, out, 2);
            if (mpz_cmp_ui(x, 32) <= 0) {
                mpz_set_ui(out, 16);
            }
        }
    }
    mpz_clear(term);
}

/* The three EIPs agree on this but for the factor of the bytes beyond the first 32. */
static void model_iterations(mpz_t out, cevm_bytes input, const mpz_t base, const mpz_t exponent, cevm_fork fork)
{
    mpz_t head;
    mpz_init(head);
    const bool is_long = mpz_cmp_ui(exponent, WORD) > 0;
    if (mpz_cmp_ui(base, ROOM) < 0) { /* the exponent begins within the input */
        read_number(head, input, HEADER + (size_t)mpz_get_ui(base), is_long ? WORD : (size_t)mpz_get_ui(exponent));
    }
    mpz_set_ui(out, 0);
    if (is_long) {
        mpz_sub_ui(out, exponent, WORD);
        mpz_mul_ui(out, out, fork == CEVM_OSAKA ? 16 : 8);
    }
    if (mpz_sgn(head) != 0) {
        mpz_add_ui(out, out, mpz_sizeinbase(head, 2) - 1);
    }
    if (mpz_sgn(out) == 0) {
        mpz_set_ui(out, 1);
    }
    mpz_clear(head);
}

static uint64_t model_price(cevm_bytes input, cevm_fork fork)
{
    mpz_t base;
    mpz_t exponent;
    mpz_t modulus;
    mpz_t complexity;
    mpz_t iterations;
    uint64_t gas = UINT64_MAX;
    mpz_inits(base, exponent, modulus, complexity, iterations, NULL);
    read_number(base, input, 0, WORD);
    read_number(exponent, input, WORD, WORD);
    read_number(modulus, input, (size_t)2 * WORD, WORD);
    model_complexity(complexity, mpz_cmp(base, modulus) > 0 ? base : modulus, fork);
    model_iterations(iterations, input, base, exponent, fork);
    mpz_mul(complexity, complexity, iterations);
    mpz_fdiv_q_ui(complexity, complexity, fork == CEVM_BYZANTIUM ? 20 : fork == CEVM_BERLIN ? 3 : 1);
    if (mpz_sizeinbase(complexity, 2) <= 64) {
        gas = 0;
        (void)mpz_export(&gas, NULL, 1, sizeof gas, 0, 0, complexity);
    }
    const uint64_t minimum = fork == CEVM_BYZANTIUM ? 0 : fork == CEVM_BERLIN ? 200 : 500;
    mpz_clears(base, exponent, modulus, complexity, iterations, NULL);
    return gas > minimum ? gas : minimum;
}

/* Inputs ----------------------------------------------------------------------------------------------------------- */

static size_t random_length(run_state *s)
{
    switch (below(s, 8)) {
    case 0: return below(s, 3);
    case 1: return 8 * below(s, 9);
    case 2: return 31 + below(s, 3);
    case 3: return below(s, LONGEST + 1);
    default: return below(s, 48);
    }
}

/* Random, all zeros, all ones, sparse, or random with zeros before or (even numbers, powers of two) behind. */
static void random_number(run_state *s, uint8_t *out, size_t length)
{
    const size_t kind = below(s, 8);
    const size_t border = below(s, length + 1);
    for (size_t i = 0; i < length; ++i) {
        const uint8_t random = (uint8_t)next_random(s);
        switch (kind) {
        case 0: out[i] = 0; break;
        case 1: out[i] = 0xff; break;
        case 2: out[i] = below(s, 8) == 0 ? random : 0; break;
        case 3: out[i] = i < border ? 0 : random; break;
        case 4: out[i] = i < border ? random : 0; break;
        case 5: out[i] = (uint8_t)(i == border ? 1u << (random & 7) : 0); break;
        default: out[i] = random; break;
        }
    }
}

/* The model's output in `expected`, of `length` bytes. */
static void model_output(uint8_t *expected, cevm_bytes input, size_t base_length, size_t exponent_length, size_t length)
{
    mpz_t base;
    mpz_t exponent;
    mpz_t modulus;
    mpz_t result;
    mpz_inits(base, exponent, modulus, result, NULL);
    read_number(base, input, HEADER, base_length);
    read_number(exponent, input, HEADER + base_length, exponent_length);
    read_number(modulus, input, HEADER + base_length + exponent_length, length);
    memset(expected, 0, length);
    if (mpz_sgn(modulus) != 0) {
        square_and_multiply(result, base, exponent, modulus);
        const size_t size = (mpz_sizeinbase(result, 2) + 7) / 8;
        if (mpz_sgn(result) != 0) {
            (void)mpz_export(expected + length - size, NULL, 1, 1, 0, 0, result);
        }
    }
    mpz_clears(base, exponent, modulus, result, NULL);
}

static void print_input(const run_state *s, cevm_bytes input)
{
    (void)fprintf(stderr, "SEED=%" PRIu64 " repeats this\n  input ", s->seed);
    for (size_t i = 0; i < input.size; ++i) {
        (void)fprintf(stderr, "%02x", input.data[i]);
    }
    (void)fprintf(stderr, "\n");
}

static void check_price(const run_state *s, cevm_bytes input)
{
    for (size_t i = 0; i < FORKS; ++i) {
        const uint64_t gas = s->contract->cost(input, forks[i]).gas;
        const uint64_t expected = model_price(input, forks[i]);
        if (gas != expected) {
            print_input(s, input);
            fail_msg("%s: price %" PRIu64 ", not %" PRIu64, cevm_fork_name(forks[i]), gas, expected);
        }
    }
}

static void check_output(const run_state *s, cevm_bytes input, const uint8_t *expected, size_t length)
{
    for (size_t i = 0; i < FORKS; ++i) {
        const cevm_precompile_cost cost = s->contract->cost(input, forks[i]);
        uint8_t *output = malloc(cost.output_size + 1);
        uint8_t *scratch = malloc(cost.scratch_size + 1);
        size_t size = SIZE_MAX;
        assert_non_null(output);
        assert_non_null(scratch);
        memset(scratch, 0xaa, cost.scratch_size);
        const cevm_precompile_status status = s->contract->run(output, &size, input, forks[i], scratch);
        if (status != CEVM_PRECOMPILE_OK || size != length || memcmp(output, expected, length) != 0) {
            print_input(s, input);
            fail_msg("%s: status %d, or another remainder", cevm_fork_name(forks[i]), (int)status);
        }
        free(scratch);
        free(output);
    }
}

/* Tests ------------------------------------------------------------------------------------------------------------ */

static void test_remainders(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < s->iterations; ++i) {
        const size_t lengths[3] = {random_length(s), random_length(s), random_length(s)};
        uint8_t data[ROOM] = {0};
        uint8_t expected[LONGEST];
        size_t size = HEADER;
        for (size_t k = 0; k < 3; ++k) {
            cevm_store_be64(data + (k + 1) * WORD - 8, lengths[k]);
            random_number(s, data + size, lengths[k]);
            size += lengths[k];
        }
        if (below(s, 4) == 0) {
            size = below(s, 2) == 0 ? below(s, size + 1) : size + below(s, 64); /* cut off, or with more behind */
        }
        if (size < HEADER) {
            size = HEADER;
        }
        uint8_t *exact = malloc(size); /* so that a sanitizer sees reads past the end */
        assert_non_null(exact);
        memcpy(exact, data, size);
        const cevm_bytes input = {exact, size};
        model_output(expected, input, lengths[0], lengths[1], lengths[2]);
        check_price(s, input);
        check_output(s, input, expected, lengths[2]);
        free(exact);
    }
}

/* Lengths up to 2^256 - 1, most of them where products pass 2^64 or 2^128. */
static void test_prices_of_any_lengths(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < 20 * s->iterations; ++i) {
        uint8_t data[ROOM];
        random_number(s, data, sizeof data);
        for (size_t k = 0; k < 3; ++k) {
            uint8_t *word = data + k * WORD;
            const size_t bits = below(s, 10) == 0 ? below(s, 257) : below(s, 80);
            random_number(s, word, WORD);
            for (size_t bit = bits; bit < 256; ++bit) {
                word[WORD - 1 - bit / 8] &= (uint8_t) ~(1u << (bit % 8));
            }
        }
        const cevm_bytes input = {data, below(s, 4) == 0 ? below(s, sizeof data + 1) : sizeof data};
        check_price(s, input);
    }
}

/* The edges of the ways that the precompile takes: limbs, powers of two in the modulus, short and long exponents ------ */

/* A number of up to `bits` bits: random, all ones, one bit, or an edge of a limb. */
static void random_bits(run_state *s, mpz_t out, size_t bits)
{
    mpz_set_ui(out, 0);
    switch (below(s, 4)) {
    case 0: mpz_setbit(out, bits); break;
    case 1:
        mpz_setbit(out, bits);
        mpz_sub_ui(out, out, 1);
        break;
    default:
        for (size_t i = 0; i < bits; i += 32) {
            mpz_mul_2exp(out, out, 32);
            mpz_add_ui(out, out, (unsigned long)(next_random(s) & UINT32_MAX));
        }
        mpz_fdiv_r_2exp(out, out, bits);
        break;
    }
}

/* q 2^k, q odd of any number of limbs up to 9 or one of up to 17 bits, or a power of two; sometimes 1024 bytes. */
static void random_modulus(run_state *s, mpz_t out)
{
    static const uint16_t twos[] = {0, 0, 0, 1, 2, 63, 64, 65, 127, 128, 129, 191, 192, 255, 256, 257, 320};
    const size_t kind = below(s, 16);
    const size_t edge = 64 * (1 + below(s, 9));
    random_bits(s, out, kind == 0 ? 8000 + below(s, 184) : kind < 4 ? 1 + below(s, 17) : edge - 2 + below(s, 4));
    mpz_setbit(out, 0);
    if (kind == 4) {
        mpz_set_ui(out, 1);
    }
    mpz_mul_2exp(out, out, twos[below(s, sizeof twos / sizeof twos[0])]);
    if (mpz_sizeinbase(out, 2) > 8192) {
        mpz_fdiv_r_2exp(out, out, 8192);
    }
}

static void random_base(run_state *s, mpz_t out, const mpz_t modulus)
{
    switch (below(s, 6)) {
    case 0: mpz_set_ui(out, (unsigned long)below(s, 4)); break;
    case 1: /* around a multiple of the modulus */
        mpz_mul_ui(out, modulus, (unsigned long)(1 + below(s, 3)));
        mpz_add_ui(out, out, 1);
        mpz_sub_ui(out, out, (unsigned long)below(s, 3));
        break;
    case 2: random_bits(s, out, 1 + below(s, 700)); break;
    case 3: /* shares its factors of two */
        random_bits(s, out, 1 + below(s, 100));
        mpz_mul_2exp(out, out, 1 + below(s, 80));
        break;
    default: random_bits(s, out, 1 + below(s, mpz_sizeinbase(modulus, 2))); break;
    }
}

static void random_exponent(run_state *s, mpz_t out)
{
    switch (below(s, 5)) {
    case 0: mpz_set_ui(out, (unsigned long)below(s, 8)); break;
    case 1: mpz_set_ui(out, 65537); break;
    case 2: random_bits(s, out, 1 + below(s, 66)); break;
    default: random_bits(s, out, 1 + below(s, 700)); break;
    }
}

/* Appends a number with up to 9 zero bytes before it, and its length. */
static void append(run_state *s, uint8_t *data, size_t *size, size_t part, const mpz_t number)
{
    const size_t bytes = mpz_sgn(number) != 0 ? (mpz_sizeinbase(number, 2) + 7) / 8 : 0;
    const size_t zeros = bytes < 1000 ? below(s, 4) == 0 ? below(s, 10) : 0 : 0;
    cevm_store_be64(data + (part + 1) * WORD - 8, bytes + zeros);
    memset(data + *size, 0, zeros);
    *size += zeros;
    if (bytes != 0) {
        (void)mpz_export(data + *size, NULL, 1, 1, 0, 0, number);
    }
    *size += bytes;
}

static void test_each_way(void **state)
{
    run_state *s = *state;
    mpz_t number[4];
    for (size_t i = 0; i < 4; ++i) {
        mpz_init(number[i]);
    }
    for (uint64_t i = 0; i < s->iterations; ++i) {
        uint8_t data[HEADER + 3 * 1400] = {0};
        uint8_t expected[1400] = {0};
        size_t size = HEADER;
        random_modulus(s, number[2]);
        random_base(s, number[0], number[2]);
        random_exponent(s, number[1]);
        for (size_t k = 0; k < 3; ++k) {
            append(s, data, &size, k, number[k]);
        }
        if (mpz_sizeinbase(number[0], 2) > 8192) {
            continue; /* EIP-7823 would refuse it */
        }
        const size_t length = (size_t)cevm_load_be64(data + HEADER - 8);
        mpz_powm(number[3], number[0], number[1], number[2]);
        if (mpz_sgn(number[3]) != 0) {
            const size_t bytes = (mpz_sizeinbase(number[3], 2) + 7) / 8;
            (void)mpz_export(expected + length - bytes, NULL, 1, 1, 0, 0, number[3]);
        }
        uint8_t *exact = malloc(size);
        assert_non_null(exact);
        memcpy(exact, data, size);
        check_output(s, (cevm_bytes){exact, size}, expected, length);
        free(exact);
    }
    for (size_t i = 0; i < 4; ++i) {
        mpz_clear(number[i]);
    }
}

static int set_up(void **state)
{
    static run_state s;
    cevm_address address = {{0}};
    address.bytes[19] = 0x05;
    s.seed = random_seed();
    s.random = s.seed;
    s.iterations = random_setting("ITERATIONS", 5000);
    s.contract = cevm_precompile_find(&address, CEVM_LATEST);
    (void)printf("test_modexp: SEED=%" PRIu64 "\n", s.seed);
    *state = &s;
    return s.contract != NULL ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remainders),
        cmocka_unit_test(test_prices_of_any_lengths),
        cmocka_unit_test(test_each_way),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
