/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/u256.h: 256-bit arithmetic as the EVM defines it.
 *
 * Every function is pure: it reads its operands, touches nothing else and cannot fail, so all of them are safe on any
 * thread. Operands are passed by address and results returned by value; an operand may be the object the result is
 * assigned to. Numbers wrap modulo 2^256, division by zero gives zero, and "signed" means two's complement, as the
 * opcodes say. Nothing here is constant-time: the values of a contract are public.
 *
 * Limbs are addressed by index (w[0] is the lowest), so the host's byte order does not matter. Everything rests on the
 * few primitives at the top, which have a second form in plain C17 without a 128-bit type or builtins. Defining
 * CEVM_PORTABLE selects it; so does a compiler without `unsigned __int128`, as on 32-bit targets.
 *
 * EIP-145 (shifts) and EIP-7939 (CLZ) define their opcodes through u256_shl, u256_shr, u256_sar and u256_clz.
 */
#ifndef CEVM_EVM_U256_H
#define CEVM_EVM_U256_H

#include "cevm/types.h"

#if defined(__SIZEOF_INT128__) && !defined(CEVM_PORTABLE)
#define U256_NATIVE 1
#else
#define U256_NATIVE 0
#endif

/* Primitives ------------------------------------------------------------------------------------------------------- */

#if U256_NATIVE
__extension__ typedef unsigned __int128 u256_dword;

/* Compilers that know the carry flag by a name of their own; the generic form below costs a compare a limb with gcc. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_addcll) && __has_builtin(__builtin_subcll)
#define U256_CARRY_GENERIC_BUILTIN 1
#endif
#endif
#if !defined(U256_CARRY_GENERIC_BUILTIN) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define U256_CARRY_X86_BUILTIN 1
#endif
#endif

/** a + b + *carry modulo 2^64; *carry is 0 or 1, before and after. */
static inline uint64_t u256_addc(uint64_t a, uint64_t b, unsigned char *carry)
{
#if defined(U256_CARRY_GENERIC_BUILTIN)
    unsigned long long out;
    const uint64_t sum = __builtin_addcll(a, b, *carry, &out);
    *carry = (unsigned char)out;
    return sum;
#elif defined(U256_CARRY_X86_BUILTIN)
    unsigned long long sum;
    *carry = __builtin_ia32_addcarryx_u64(*carry, a, b, &sum);
    return sum;
#else
    const uint64_t partial = a + b;
    const uint64_t sum = partial + *carry;
    *carry = (unsigned char)((partial < a) | (sum < partial));
    return sum;
#endif
}

/** a - b - *borrow modulo 2^64; *borrow is 0 or 1, before and after. */
static inline uint64_t u256_subb(uint64_t a, uint64_t b, unsigned char *borrow)
{
#if defined(U256_CARRY_GENERIC_BUILTIN)
    unsigned long long out;
    const uint64_t difference = __builtin_subcll(a, b, *borrow, &out);
    *borrow = (unsigned char)out;
    return difference;
#elif defined(U256_CARRY_X86_BUILTIN)
    unsigned long long difference;
    *borrow = __builtin_ia32_sbb_u64(*borrow, a, b, &difference);
    return difference;
#else
    const uint64_t partial = a - b;
    const uint64_t difference = partial - *borrow;
    *borrow = (unsigned char)((a < b) | (partial < *borrow));
    return difference;
#endif
}

/** The borrow alone. When nothing but that is wanted clang makes comparisons out of u256_subb, at twice the cost. */
static inline void u256_borrow(uint64_t a, uint64_t b, unsigned char *borrow)
{
#if defined(U256_CARRY_GENERIC_BUILTIN) && defined(__x86_64__) && defined(__clang__)
    unsigned long long difference;
    *borrow = __builtin_ia32_subborrow_u64(*borrow, a, b, &difference);
#else
    (void)u256_subb(a, b, borrow);
#endif
}

/** The 128-bit product a * b: the low half is returned, the high half stored in *high. */
static inline uint64_t u256_mul64(uint64_t a, uint64_t b, uint64_t *high)
{
#if U256_NATIVE
    const u256_dword product = (u256_dword)a * b;
    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
#else
    const uint64_t mask = 0xffffffff;
    const uint64_t low_low = (a & mask) * (b & mask);
    const uint64_t low_high = (a & mask) * (b >> 32);
    const uint64_t high_low = (a >> 32) * (b & mask);
    const uint64_t high_high = (a >> 32) * (b >> 32);
    /* At most (2^32-1)^2 + 2*(2^32-1) = 2^64-1: neither sum can overflow. */
    const uint64_t middle = high_low + (low_low >> 32);
    const uint64_t cross = low_high + (middle & mask);
    *high = high_high + (middle >> 32) + (cross >> 32);
    return (cross << 32) | (low_low & mask);
#endif
}

/** The 128-bit number a * b + c + d, which cannot overflow: the low half is returned, the high half stored in *high. */
static inline uint64_t u256_muladd64(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *high)
{
#if U256_NATIVE
    const u256_dword sum = (u256_dword)a * b + c + d;
    *high = (uint64_t)(sum >> 64);
    return (uint64_t)sum;
#else
    unsigned char carry = 0;
    uint64_t upper;
    uint64_t low = u256_addc(u256_mul64(a, b, &upper), c, &carry);
    upper += carry;
    carry = 0;
    low = u256_addc(low, d, &carry);
    *high = upper + carry;
    return low;
#endif
}

/** (*high:*low) += (b1:b0) modulo 2^128. */
static inline void u256_add128(uint64_t *high, uint64_t *low, uint64_t b1, uint64_t b0)
{
#if defined(U256_CARRY_X86_BUILTIN)
    /* A number of 128 bits gcc would keep in memory as often as not. */
    __asm__("addq %3, %0\n\tadcq %2, %1" : "+&r"(*low), "+r"(*high) : "rme"(b1), "rme"(b0) : "cc");
#elif U256_NATIVE
    const u256_dword sum = (((u256_dword)*high << 64) | *low) + (((u256_dword)b1 << 64) | b0);
    *high = (uint64_t)(sum >> 64);
    *low = (uint64_t)sum;
#else
    unsigned char carry = 0;
    *low = u256_addc(*low, b0, &carry);
    *high = u256_addc(*high, b1, &carry);
#endif
}

/** (*high:*low) -= (b1:b0) modulo 2^128. */
static inline void u256_sub128(uint64_t *high, uint64_t *low, uint64_t b1, uint64_t b0)
{
#if U256_NATIVE
    const u256_dword difference = (((u256_dword)*high << 64) | *low) - (((u256_dword)b1 << 64) | b0);
    *high = (uint64_t)(difference >> 64);
    *low = (uint64_t)difference;
#else
    unsigned char borrow = 0;
    *low = u256_subb(*low, b0, &borrow);
    *high = u256_subb(*high, b1, &borrow);
#endif
}

/** Leading zero bits of x, which must not be zero. */
static inline unsigned u256_clz64(uint64_t x)
{
#if U256_NATIVE && defined(__x86_64__) && !defined(__LZCNT__)
    /* BSR waits for what was in its destination, so that is x itself: elsewhere it may be the end of the last division. */
    __asm__("bsrq %0, %0" : "+r"(x) : : "cc");
    return 63 - (unsigned)x;
#elif U256_NATIVE
    return (unsigned)__builtin_clzll(x);
#else
    unsigned count = 0;
    for (unsigned width = 32; width != 0; width /= 2) {
        if ((x >> (64 - width)) == 0) {
            count += width;
            x <<= width;
        }
    }
    return count;
#endif
}

/** The high 64 bits of (high:low) << bits, for bits 0..63; written so that no shift reaches 64. */
static inline uint64_t u256_funnel_left(uint64_t high, uint64_t low, unsigned bits)
{
    return (high << bits) | (low >> 1 >> (63 - bits));
}

/** The low 64 bits of (high:low) >> bits, for bits 0..63. */
static inline uint64_t u256_funnel_right(uint64_t high, uint64_t low, unsigned bits)
{
    return (low >> bits) | (high << 1 << (63 - bits));
}

/** Exchanges two numbers, limb by limb: a copy of a whole one would go through memory. gcc -O2 has to be asked to unroll. */
static inline void u256_exchange(cevm_u256 *a, cevm_u256 *b)
{
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; ++i) {
        const uint64_t limb = a->w[i];
        a->w[i] = b->w[i];
        b->w[i] = limb;
    }
}

/* Sums ------------------------------------------------------------------------------------------------------------- */

/*
 * gcc's builtin for one limb takes an address, and where much is inlined into one function each limb is then stored there too. So
 * for gcc the chains are written out.
 */

/** *out = a + b modulo 2^256; returns whether the sum did not fit. */
static inline bool u256_add_overflow(cevm_u256 *out, const cevm_u256 *a, const cevm_u256 *b)
{
    uint64_t w0 = a->w[0];
    uint64_t w1 = a->w[1];
    uint64_t w2 = a->w[2];
    uint64_t w3 = a->w[3];
    unsigned char carry = 0;
#if defined(U256_CARRY_X86_BUILTIN)
    __asm__("addq %5, %0\n\tadcq %6, %1\n\tadcq %7, %2\n\tadcq %8, %3"
            : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3), "=@ccc"(carry)
            : "rme"(b->w[0]), "rme"(b->w[1]), "rme"(b->w[2]), "rme"(b->w[3]));
#else
    w0 = u256_addc(w0, b->w[0], &carry);
    w1 = u256_addc(w1, b->w[1], &carry);
    w2 = u256_addc(w2, b->w[2], &carry);
    w3 = u256_addc(w3, b->w[3], &carry);
#endif
    *out = (cevm_u256){{w0, w1, w2, w3}};
    return carry != 0;
}

/** *out = a - b modulo 2^256; returns whether a < b. */
static inline bool u256_sub_borrow(cevm_u256 *out, const cevm_u256 *a, const cevm_u256 *b)
{
    uint64_t w0 = a->w[0];
    uint64_t w1 = a->w[1];
    uint64_t w2 = a->w[2];
    uint64_t w3 = a->w[3];
    unsigned char borrow = 0;
#if defined(U256_CARRY_X86_BUILTIN)
    __asm__("subq %5, %0\n\tsbbq %6, %1\n\tsbbq %7, %2\n\tsbbq %8, %3"
            : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3), "=@ccc"(borrow)
            : "rme"(b->w[0]), "rme"(b->w[1]), "rme"(b->w[2]), "rme"(b->w[3]));
#else
    w0 = u256_subb(w0, b->w[0], &borrow);
    w1 = u256_subb(w1, b->w[1], &borrow);
    w2 = u256_subb(w2, b->w[2], &borrow);
    w3 = u256_subb(w3, b->w[3], &borrow);
#endif
    *out = (cevm_u256){{w0, w1, w2, w3}};
    return borrow != 0;
}

static inline cevm_u256 u256_add(const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 r;
    (void)u256_add_overflow(&r, a, b);
    return r;
}

static inline cevm_u256 u256_sub(const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 r;
    (void)u256_sub_borrow(&r, a, b);
    return r;
}

/** The two's complement of a: 0 - a. */
static inline cevm_u256 u256_neg(const cevm_u256 *a)
{
    const cevm_u256 zero = {{0, 0, 0, 0}};
    return u256_sub(&zero, a);
}

/* Bits ------------------------------------------------------------------------------------------------------------- */

static inline cevm_u256 u256_and(const cevm_u256 *a, const cevm_u256 *b)
{
    return (cevm_u256){{a->w[0] & b->w[0], a->w[1] & b->w[1], a->w[2] & b->w[2], a->w[3] & b->w[3]}};
}

static inline cevm_u256 u256_or(const cevm_u256 *a, const cevm_u256 *b)
{
    return (cevm_u256){{a->w[0] | b->w[0], a->w[1] | b->w[1], a->w[2] | b->w[2], a->w[3] | b->w[3]}};
}

static inline cevm_u256 u256_xor(const cevm_u256 *a, const cevm_u256 *b)
{
    return (cevm_u256){{a->w[0] ^ b->w[0], a->w[1] ^ b->w[1], a->w[2] ^ b->w[2], a->w[3] ^ b->w[3]}};
}

static inline cevm_u256 u256_not(const cevm_u256 *a) { return (cevm_u256){{~a->w[0], ~a->w[1], ~a->w[2], ~a->w[3]}}; }

/** 2^256 - 1. */
static inline cevm_u256 u256_max(void) { return (cevm_u256){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}}; }

/** Whether the sign bit is set: a < 0 when read as two's complement. */
static inline bool u256_is_negative(const cevm_u256 *a) { return (a->w[3] >> 63) != 0; }

/** How many bits it takes to write a: 0 for zero, 256 when the sign bit is set. */
static inline unsigned u256_bit_length(const cevm_u256 *a)
{
    /* No loop, which not every compiler would unroll. */
    if (a->w[3] != 0) {
        return 256 - u256_clz64(a->w[3]);
    }
    if (a->w[2] != 0) {
        return 192 - u256_clz64(a->w[2]);
    }
    if (a->w[1] != 0) {
        return 128 - u256_clz64(a->w[1]);
    }
    return a->w[0] != 0 ? 64 - u256_clz64(a->w[0]) : 0;
}

/** How many bytes it takes to write a: 0 for zero, at most 32. The unit of EXP's gas. */
static inline unsigned u256_byte_length(const cevm_u256 *a) { return (u256_bit_length(a) + 7) / 8; }

/** CLZ (EIP-7939): leading zero bits of the word, 256 for zero. */
static inline unsigned u256_clz(const cevm_u256 *a) { return 256 - u256_bit_length(a); }

/* Order ------------------------------------------------------------------------------------------------------------ */

static inline bool u256_lt(const cevm_u256 *a, const cevm_u256 *b)
{
    unsigned char borrow = 0;
#if defined(U256_CARRY_X86_BUILTIN)
    uint64_t w1 = a->w[1];
    uint64_t w2 = a->w[2];
    uint64_t w3 = a->w[3];
    __asm__("cmpq %5, %4\n\tsbbq %6, %0\n\tsbbq %7, %1\n\tsbbq %8, %2"
            : "+&r"(w1), "+&r"(w2), "+&r"(w3), "=@ccc"(borrow)
            : "r"(a->w[0]), "rme"(b->w[0]), "rme"(b->w[1]), "rme"(b->w[2]), "rme"(b->w[3]));
#else
    u256_borrow(a->w[0], b->w[0], &borrow);
    u256_borrow(a->w[1], b->w[1], &borrow);
    u256_borrow(a->w[2], b->w[2], &borrow);
    u256_borrow(a->w[3], b->w[3], &borrow);
#endif
    return borrow != 0;
}

static inline bool u256_gt(const cevm_u256 *a, const cevm_u256 *b) { return u256_lt(b, a); }

/** SLT: a < b in two's complement. Flipping both sign bits maps the signed order onto the unsigned one. */
static inline bool u256_slt(const cevm_u256 *a, const cevm_u256 *b)
{
    const uint64_t sign = (uint64_t)1 << 63;
    const cevm_u256 x = {{a->w[0], a->w[1], a->w[2], a->w[3] ^ sign}};
    const cevm_u256 y = {{b->w[0], b->w[1], b->w[2], b->w[3] ^ sign}};
    return u256_lt(&x, &y);
}

static inline bool u256_sgt(const cevm_u256 *a, const cevm_u256 *b) { return u256_slt(b, a); }

/** -1, 0 or 1 as a is below, equal to or above b (unsigned). */
static inline int u256_cmp(const cevm_u256 *a, const cevm_u256 *b) { return (int)u256_lt(b, a) - (int)u256_lt(a, b); }

/* Shifts (EIP-145) ------------------------------------------------------------------------------------------------- */

/** v << n for n in 0..255. */
static inline cevm_u256 u256_shl_u(const cevm_u256 *v, unsigned n)
{
    /* Whole limbs by two conditional moves, then the bits: no branch to mispredict on a count that varies. */
    const bool by_two = (n & 128) != 0;
    const bool by_one = (n & 64) != 0;
    const unsigned bits = n & 63;
    const uint64_t x0 = by_two ? 0 : v->w[0];
    const uint64_t x1 = by_two ? 0 : v->w[1];
    const uint64_t x2 = by_two ? v->w[0] : v->w[2];
    const uint64_t x3 = by_two ? v->w[1] : v->w[3];
    const uint64_t y0 = by_one ? 0 : x0;
    const uint64_t y1 = by_one ? x0 : x1;
    const uint64_t y2 = by_one ? x1 : x2;
    const uint64_t y3 = by_one ? x2 : x3;
    return (cevm_u256){
        {y0 << bits, u256_funnel_left(y1, y0, bits), u256_funnel_left(y2, y1, bits), u256_funnel_left(y3, y2, bits)}};
}

/** v >> n for n in 0..255, with copies of the limb `fill` (all zeros or all ones) entering from above. */
static inline cevm_u256 u256_shr_fill(const cevm_u256 *v, unsigned n, uint64_t fill)
{
    const bool by_two = (n & 128) != 0;
    const bool by_one = (n & 64) != 0;
    const unsigned bits = n & 63;
    const uint64_t x0 = by_two ? v->w[2] : v->w[0];
    const uint64_t x1 = by_two ? v->w[3] : v->w[1];
    const uint64_t x2 = by_two ? fill : v->w[2];
    const uint64_t x3 = by_two ? fill : v->w[3];
    const uint64_t y0 = by_one ? x1 : x0;
    const uint64_t y1 = by_one ? x2 : x1;
    const uint64_t y2 = by_one ? x3 : x2;
    const uint64_t y3 = by_one ? fill : x3;
    return (cevm_u256){{u256_funnel_right(y1, y0, bits), u256_funnel_right(y2, y1, bits),
                        u256_funnel_right(y3, y2, bits), u256_funnel_right(fill, y3, bits)}};
}

/** v >> n for n in 0..255. */
static inline cevm_u256 u256_shr_u(const cevm_u256 *v, unsigned n) { return u256_shr_fill(v, n, 0); }

/**
 * Whether a shift count moves every bit out. All four limbs are looked at before the count is narrowed: reading it as a
 * smaller or signed number is the bug of CVE-2021-41272.
 */
static inline bool u256_shift_is_total(const cevm_u256 *n)
{
    return ((n->w[0] >> 8) | n->w[1] | n->w[2] | n->w[3]) != 0;
}

/** SHL: v << n for any n; 0 from n = 256 on. */
static inline cevm_u256 u256_shl(const cevm_u256 *v, const cevm_u256 *n)
{
    return u256_shift_is_total(n) ? cevm_u256_from_u64(0) : u256_shl_u(v, (unsigned)n->w[0]);
}

/** SHR: v >> n for any n; 0 from n = 256 on. */
static inline cevm_u256 u256_shr(const cevm_u256 *v, const cevm_u256 *n)
{
    return u256_shift_is_total(n) ? cevm_u256_from_u64(0) : u256_shr_u(v, (unsigned)n->w[0]);
}

/** SAR: v / 2^n rounded down, v in two's complement, for any n; 0 or -1 from n = 256 on. */
static inline cevm_u256 u256_sar(const cevm_u256 *v, const cevm_u256 *n)
{
    const uint64_t fill = (uint64_t)0 - (v->w[3] >> 63);
    return u256_shift_is_total(n) ? (cevm_u256){{fill, fill, fill, fill}} : u256_shr_fill(v, (unsigned)n->w[0], fill);
}

/* Bytes ------------------------------------------------------------------------------------------------------------ */

/** BYTE: byte i of v, counted from the most significant; 0 from i = 32 on. */
static inline cevm_u256 u256_byte(const cevm_u256 *i, const cevm_u256 *v)
{
    if (!cevm_u256_fits_u64(i) || i->w[0] >= 32) {
        return cevm_u256_from_u64(0);
    }
    const unsigned from_low = 31 - (unsigned)i->w[0];
    return cevm_u256_from_u64((v->w[from_low / 8] >> (from_low % 8 * 8)) & 0xff);
}

/** SIGNEXTEND: v read as a two's complement number of b + 1 bytes; v itself from b = 31 on. */
static inline cevm_u256 u256_signextend(const cevm_u256 *b, const cevm_u256 *v)
{
    if (!cevm_u256_fits_u64(b) || b->w[0] >= 31) {
        return *v;
    }
    const unsigned limb = (unsigned)b->w[0] / 8;
    const unsigned above = 56 - (unsigned)b->w[0] % 8 * 8;
    const uint64_t at_top = v->w[limb] << above;
    /* C leaves it to the compiler what becomes of the sign, but none there is loses it. */
    const uint64_t extended = (uint64_t)((int64_t)at_top >> above);
    const uint64_t fill = (uint64_t)((int64_t)at_top >> 63);
    switch (limb) {
    case 0: return (cevm_u256){{extended, fill, fill, fill}};
    case 1: return (cevm_u256){{v->w[0], extended, fill, fill}};
    case 2: return (cevm_u256){{v->w[0], v->w[1], extended, fill}};
    default: return (cevm_u256){{v->w[0], v->w[1], v->w[2], extended}};
    }
}

/* Products and quotients ------------------------------------------------------------------------------------------- */

/** a * b modulo 2^256. */
static inline cevm_u256 u256_mul(const cevm_u256 *a, const cevm_u256 *b)
{
    const uint64_t a0 = a->w[0];
    const uint64_t a1 = a->w[1];
    const uint64_t a2 = a->w[2];
    const uint64_t b0 = b->w[0];
    const uint64_t b1 = b->w[1];
    const uint64_t b2 = b->w[2];

    /*
     * Row by row as on paper; what would stand above limb 3 is not computed. Sums of two limbs, which gcc keeps in registers where
     * it does not those of 128 bits.
     */
    uint64_t c;
    uint64_t d;
    const uint64_t w0 = u256_mul64(a0, b0, &c);
    uint64_t w1 = u256_mul64(a0, b1, &d);
    u256_add128(&d, &w1, 0, c);
    uint64_t w3;
    uint64_t w2 = u256_mul64(a0, b2, &w3);
    u256_add128(&w3, &w2, a0 * b->w[3], d);

    uint64_t x = u256_mul64(a1, b0, &c);
    u256_add128(&c, &w1, 0, x);
    x = u256_mul64(a1, b1, &d);
    u256_add128(&w3, &w2, a1 * b2, c);
    u256_add128(&w3, &w2, d, x);

    x = u256_mul64(a2, b0, &c);
    u256_add128(&w3, &w2, c, x);
    w3 += a2 * b1 + a->w[3] * b0;
    return (cevm_u256){{w0, w1, w2, w3}};
}

/** The whole 512-bit product a * b, lowest limb first. */
void cevm_u256_mul_wide(uint64_t out[8], const cevm_u256 *a, const cevm_u256 *b);

/** *out = a * b modulo 2^256; returns whether the product did not fit. */
bool cevm_u256_mul_overflow(cevm_u256 *out, const cevm_u256 *a, const cevm_u256 *b);

/** *quotient = a / b and *remainder = a % b, unsigned; both 0 when b is 0. The outputs may alias the operands. */
void cevm_u256_divmod(cevm_u256 *quotient, cevm_u256 *remainder, const cevm_u256 *a, const cevm_u256 *b);

/** DIV: a / b rounded down, 0 when b is 0. */
cevm_u256 cevm_u256_div(const cevm_u256 *a, const cevm_u256 *b);

/** MOD: a % b, 0 when b is 0. */
cevm_u256 cevm_u256_mod(const cevm_u256 *a, const cevm_u256 *b);

/** SDIV: a / b in two's complement, rounded towards zero; 0 when b is 0; -2^255 / -1 wraps to -2^255. */
cevm_u256 cevm_u256_sdiv(const cevm_u256 *a, const cevm_u256 *b);

/** SMOD: the remainder of SDIV, which has the sign of a; 0 when b is 0. */
cevm_u256 cevm_u256_smod(const cevm_u256 *a, const cevm_u256 *b);

/** ADDMOD: (a + b) % m without wrapping the sum; 0 when m is 0. */
cevm_u256 cevm_u256_addmod(const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m);

/** MULMOD: (a * b) % m without wrapping the product; 0 when m is 0. */
cevm_u256 cevm_u256_mulmod(const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m);

/**
 * A modulus that has been used before, and what makes reducing by it fast. All zero is none. Belongs to one thread.
 */
typedef struct cevm_modulus {
    cevm_u256 m;
    cevm_u256 shifted;         /* m with its highest bit at the top */
    cevm_u256 reciprocal;      /* (2^512 - 1) / shifted - 2^256 */
    uint64_t upper_reciprocal; /* of its upper two limbs */
    unsigned bits;             /* by which it is shifted */
    bool ready;                /* the two numbers are there */
} cevm_modulus;

/** MULMOD as above; a modulus that comes twice in a row is remembered. */
cevm_u256 cevm_u256_mulmod_with(cevm_modulus *known, const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m);

/** EXP: base^exponent modulo 2^256; 0^0 is 1. */
cevm_u256 cevm_u256_exp(const cevm_u256 *base, const cevm_u256 *exponent);

#endif
