/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x05: base^exponent mod modulus (EIP-198). Input: the three lengths, 32 bytes each, then the three numbers, all
 * big-endian, zeros where the input ends early; output: the remainder, as long as the modulus.
 *
 * Prices: EIP-198, then EIP-2565, then EIP-7883. EIP-7823 refuses lengths above 1024 bytes.
 *
 * Lengths are 256-bit words, so the price is computed in 128 bits that saturate, and exactly: it is right for every amount
 * of gas that 64 bits can hold. Nothing is read, sized or allocated for a length before its price is known.
 *
 * Bound: before EIP-7823 a base or modulus may be as long as the gas pays for. Above MAX_LENGTH (1 MiB, which costs 3.4
 * thousand million gas at EIP-198's prices and 5.7 at EIP-2565's, even with the shortest exponent) we ask for no memory and
 * `run` answers NOMEM: GMP, which would compute it, aborts the process when it cannot allocate. The exponent needs no such
 * bound, for it is stored only where the input holds it in full.
 *
 * Stack: GMP keeps its own scratch below 64 KiB a piece on the C stack. Seen: 39 KiB in all for lengths up to 1024 bytes,
 * 145 KiB at most for longer ones.
 */
#include "precompiles/crypto/power.h"
#include "precompiles/precompiles.h"

enum { WORD = 32, HEADER_SIZE = 3 * WORD, LIMB_SIZE = (int)sizeof(mp_limb_t), EIP_7823_LIMIT = 1024 };
enum { MAX_LENGTH = 1 << 20 };

_Static_assert(GMP_NAIL_BITS == 0, "operands are packed into whole limbs");
_Static_assert(LIMB_SIZE <= 8 && 16 % LIMB_SIZE == 0, "scratch is carved into limbs");

/* An unsigned 128-bit number: unsigned __int128 is not in every compiler. */
typedef struct u128 {
    uint64_t hi;
    uint64_t lo;
} u128;

static const u128 saturated = {UINT64_MAX, UINT64_MAX};

static u128 u128_of(uint64_t v)
{
    const u128 r = {0, v};
    return r;
}

static bool u128_less(u128 a, u128 b) { return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo; }

static u128 u128_add(u128 a, u128 b)
{
    const u128 sum = {a.hi + b.hi + (a.lo + b.lo < a.lo), a.lo + b.lo};
    return u128_less(sum, a) ? saturated : sum;
}

/* a - b for b <= a. */
static u128 u128_sub(u128 a, u128 b)
{
    const u128 r = {a.hi - b.hi - (a.lo < b.lo), a.lo - b.lo};
    return r;
}

/* Two 64-bit numbers by their halves. */
static u128 u128_mul_64(uint64_t a, uint64_t b)
{
    const uint64_t a0 = a & UINT32_MAX;
    const uint64_t a1 = a >> 32;
    const uint64_t b0 = b & UINT32_MAX;
    const uint64_t b1 = b >> 32;
    const uint64_t low = a0 * b0;
    const uint64_t middle = a1 * b0 + (low >> 32); /* below 2^64: (2^32-1)^2 + 2^32-1 */
    const uint64_t other = a0 * b1 + (middle & UINT32_MAX);
    const u128 r = {a1 * b1 + (middle >> 32) + (other >> 32), (other << 32) | (low & UINT32_MAX)};
    return r;
}

static u128 u128_mul(u128 a, u128 b)
{
    if (a.hi != 0 && b.hi != 0) {
        return saturated;
    }
    const u128 low = u128_mul_64(a.lo, b.lo);
    const u128 cross = a.hi != 0 ? u128_mul_64(a.hi, b.lo) : u128_mul_64(b.hi, a.lo);
    if (cross.hi != 0 || cross.lo > UINT64_MAX - low.hi) {
        return saturated;
    }
    const u128 r = {low.hi + cross.lo, low.lo};
    return r;
}

/* a / 2^n for 0 < n < 64; what is saturated stays above every 64-bit price. */
static u128 u128_shift_right(u128 a, unsigned n)
{
    const u128 r = {a.hi >> n, (a.lo >> n) | (a.hi << (64 - n))};
    return r;
}

/* a / d in 64 bits, UINT64_MAX if it needs more; 0 < d < 2^32. */
static uint64_t u128_divide_to_64(u128 a, uint64_t d)
{
    if (a.hi >= d) {
        return UINT64_MAX;
    }
    const uint64_t top = (a.hi << 32) | (a.lo >> 32);
    const uint64_t bottom = ((top % d) << 32) | (a.lo & UINT32_MAX);
    return ((top / d) << 32) | (bottom / d);
}

static u128 u128_max(u128 a, u128 b) { return u128_less(a, b) ? b : a; }

/* The three lengths. One of 2^127 or more saturates: no price of such a length, or of a product with it, fits 64 bits. */
typedef struct lengths {
    u128 base;
    u128 exponent;
    u128 modulus;
} lengths;

static u128 read_length(cevm_bytes input, size_t offset)
{
    uint8_t word[WORD];
    cevm_read_padded(word, input, offset, WORD);
    const cevm_u256 v = cevm_u256_from_be(word);
    if (v.w[3] != 0 || v.w[2] != 0) {
        return saturated;
    }
    const u128 r = {v.w[1], v.w[0]};
    return r;
}

static lengths read_lengths(cevm_bytes input)
{
    const lengths l = {read_length(input, 0), read_length(input, WORD), read_length(input, (size_t)2 * WORD)};
    return l;
}

static bool at_most(u128 length, uint64_t limit) { return length.hi == 0 && length.lo <= limit; }

/* Number of bits below the highest one set among the first 32 bytes of the exponent, 0 if none is. */
static uint64_t exponent_head_bits(cevm_bytes input, const lengths *l)
{
    if (l->base.hi != 0 || l->base.lo >= input.size) {
        return 0; /* the exponent begins beyond the input: all zeros */
    }
    uint8_t head[WORD];
    const size_t size = at_most(l->exponent, WORD) ? (size_t)l->exponent.lo : WORD;
    cevm_read_padded(head, input, HEADER_SIZE + (size_t)l->base.lo, size);
    for (size_t i = 0; i < size; ++i) {
        if (head[i] != 0) {
            uint64_t bits = 8 * (size - 1 - i);
            for (unsigned v = head[i]; v > 1; v >>= 1) {
                ++bits;
            }
            return bits;
        }
    }
    return 0;
}

/* EIP-198: between squares for short numbers and n^1.585 for long ones. */
static u128 complexity_198(u128 n)
{
    const u128 square = u128_mul(n, n);
    if (at_most(n, 64)) {
        return square;
    }
    if (at_most(n, 1024)) {
        return u128_of(square.lo / 4 + 96 * n.lo - 3072);
    }
    return u128_sub(u128_add(u128_shift_right(square, 4), u128_mul(u128_of(480), n)), u128_of(199680));
}

static uint64_t price(cevm_bytes input, const lengths *l, cevm_fork fork)
{
    const u128 n = u128_max(l->base, l->modulus);
    const u128 words = u128_shift_right(u128_add(n, u128_of(7)), 3);
    const uint64_t per_byte = CEVM_HAS_EIP(fork, 7883) ? 16 : 8;
    u128 iterations = u128_of(exponent_head_bits(input, l));
    if (!at_most(l->exponent, WORD)) {
        const u128 beyond = u128_sub(l->exponent, u128_of(WORD));
        iterations = u128_add(iterations, u128_mul(beyond, u128_of(per_byte)));
    }
    iterations = u128_max(iterations, u128_of(1));

    u128 complexity;
    uint64_t divisor = 1;
    uint64_t minimum = 0;
    if (CEVM_HAS_EIP(fork, 7883)) {
        complexity = at_most(n, 32) ? u128_of(16) : u128_mul(u128_of(2), u128_mul(words, words));
        minimum = 500;
    } else if (CEVM_HAS_EIP(fork, 2565)) {
        complexity = u128_mul(words, words);
        divisor = 3;
        minimum = 200;
    } else {
        complexity = complexity_198(n);
        divisor = 20;
    }
    const uint64_t gas = u128_divide_to_64(u128_mul(complexity, iterations), divisor);
    return gas > minimum ? gas : minimum;
}

/* EIP-7823. */
static bool lengths_refused(const lengths *l, cevm_fork fork)
{
    return CEVM_HAS_EIP(fork, 7823) && !(at_most(l->base, EIP_7823_LIMIT) && at_most(l->exponent, EIP_7823_LIMIT) &&
                                         at_most(l->modulus, EIP_7823_LIMIT));
}

static bool computable(const lengths *l) { return at_most(l->base, MAX_LENGTH) && at_most(l->modulus, MAX_LENGTH); }

/* The three numbers within an input. */
typedef struct operands {
    size_t base_length;
    size_t exponent_at;
    size_t exponent_length;
    size_t modulus_at;
    size_t modulus_held; /* the rest of the modulus are zeros beyond the input's end */
} operands;

/*
 * Finds the numbers. False if the input ends before the modulus begins: that is then 0, and nothing else matters. If it
 * does not, base and exponent lie within the input, so their lengths are no larger than memory that exists.
 */
static bool locate(operands *o, cevm_bytes input, const lengths *l)
{
    const u128 modulus_at = u128_add(u128_add(u128_of(HEADER_SIZE), l->base), l->exponent);
    if (!u128_less(modulus_at, u128_of(input.size))) {
        return false;
    }
    o->base_length = (size_t)l->base.lo;
    o->exponent_at = HEADER_SIZE + o->base_length;
    o->exponent_length = (size_t)l->exponent.lo;
    o->modulus_at = o->exponent_at + o->exponent_length;
    const size_t left = input.size - o->modulus_at;
    o->modulus_held = at_most(l->modulus, left) ? (size_t)l->modulus.lo : left;
    return true;
}

static size_t limbs_for(size_t bytes) { return (bytes + LIMB_SIZE - 1) / LIMB_SIZE; }

cevm_precompile_cost cevm_modexp_cost(cevm_bytes input, cevm_fork fork)
{
    const lengths l = read_lengths(input);
    cevm_precompile_cost cost = cevm_flat_cost(price(input, &l, fork), 0);
    if (lengths_refused(&l, fork) || !computable(&l) || at_most(l.modulus, 0)) {
        return cost; /* run will answer without computing */
    }
    operands o;
    cost.output_size = (size_t)l.modulus.lo;
    if (locate(&o, input, &l)) {
        const size_t base = limbs_for(o.base_length);
        const size_t modulus = limbs_for(cost.output_size);
        const size_t limbs = base + limbs_for(o.exponent_length) + 2 * modulus + cevm_power_scratch(base, modulus);
        cost.scratch_size = limbs * LIMB_SIZE;
    }
    return cost;
}

static mp_limb_t load_limb(const uint8_t *bytes)
{
    mp_limb_t limb = 0;
    if (LIMB_SIZE == 8) {
        return (mp_limb_t)cevm_load_be64(bytes);
    }
    for (size_t i = 0; i < LIMB_SIZE; ++i) {
        limb = (limb << 8) | bytes[i];
    }
    return limb;
}

static void store_limb(uint8_t *bytes, mp_limb_t limb)
{
    if (LIMB_SIZE == 8) {
        cevm_store_be64(bytes, limb);
        return;
    }
    for (size_t i = LIMB_SIZE; i-- > 0; limb >>= 8) {
        bytes[i] = (uint8_t)limb;
    }
}

/* Packs the number of `length` bytes, of which the first `held` are at `bytes`; the rest are zeros. */
static cevm_natural pack(mp_limb_t *limbs, size_t length, const uint8_t *bytes, size_t held)
{
    const size_t count = limbs_for(length);
    const size_t whole = held == length ? length / LIMB_SIZE : 0;
    for (size_t i = 0; i < whole; ++i) {
        limbs[i] = load_limb(bytes + length - (i + 1) * LIMB_SIZE);
    }
    if (whole != count) {
        memset(limbs + whole, 0, (count - whole) * LIMB_SIZE);
    }
    for (size_t place = held == length ? whole * LIMB_SIZE : length - held; place < length; ++place) {
        limbs[place / LIMB_SIZE] |= (mp_limb_t)bytes[length - 1 - place] << (8 * (place % LIMB_SIZE));
    }
    const cevm_natural packed = {limbs, count};
    return packed;
}

/* Writes limbs, whose value fits, as `length` big-endian bytes. */
static void unpack(uint8_t *output, size_t length, const mp_limb_t *limbs)
{
    size_t left = length;
    for (; left >= LIMB_SIZE; left -= LIMB_SIZE) {
        store_limb(output + left - LIMB_SIZE, *limbs++);
    }
    for (mp_limb_t limb = left != 0 ? *limbs : 0; left > 0; limb >>= 8) {
        output[--left] = (uint8_t)limb;
    }
}

cevm_precompile_status cevm_modexp_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                       void *scratch)
{
    const lengths l = read_lengths(input);
    if (lengths_refused(&l, fork)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    if (at_most(l.modulus, 0)) {
        *output_size = 0; /* whatever the other two are, and however long */
        return CEVM_PRECOMPILE_OK;
    }
    if (!computable(&l)) {
        return CEVM_PRECOMPILE_NOMEM;
    }
    const size_t length = (size_t)l.modulus.lo;
    operands o;
    *output_size = length;
    if (locate(&o, input, &l)) {
        mp_limb_t *limbs = scratch;
        const cevm_natural base = pack(limbs, o.base_length, input.data + HEADER_SIZE, o.base_length);
        limbs += base.count;
        const cevm_natural exponent = pack(limbs, o.exponent_length, input.data + o.exponent_at, o.exponent_length);
        limbs += exponent.count;
        const cevm_natural modulus = pack(limbs, length, input.data + o.modulus_at, o.modulus_held);
        limbs += modulus.count;
        if (cevm_power(limbs, base, exponent, modulus, limbs + modulus.count)) {
            unpack(output, length, limbs);
            return CEVM_PRECOMPILE_OK;
        }
    }
    memset(output, 0, length); /* modulo 0 the contract says 0; modulo 1 all is 0 */
    return CEVM_PRECOMPILE_OK;
}
