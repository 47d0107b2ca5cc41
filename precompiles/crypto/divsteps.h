/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/divsteps.h: the division steps of Bernstein and Yang ("Fast constant-time gcd computation and modular
 * inversion", 2019), in variable time: all inputs are public. What a field makes of them is its own file's.
 *
 * With f = p odd, g = a and delta = 1, a step is
 *     delta > 0 and g odd:  (delta, f, g) = (1 - delta, g, (g - f) / 2)
 *     else:                 (delta, f, g) = (1 + delta, f, (g + (g mod 2) f) / 2)
 * and after at most (49 d + 57) / 17 steps on numbers of d bits g = 0 and f = 1 or -1. What DIVSTEPS steps do depends on the
 * lowest DIVSTEPS bits of f and g alone, and is a matrix (u, v; q, r) / 2^DIVSTEPS with |u| + |v|, |q| + |r| <= 2^DIVSTEPS. It is
 * found on one word and then applied to f and g, and, modulo p, to d and e, for which d a = f c and e a = g c (mod p) hold
 * throughout, c being what e begins with. All four are signed limbs of 60 bits, the highest one with the sign.
 *
 * CEVM_DIVSTEPS is 0 where the compiler has no 128-bit integers, or CEVM_PORTABLE is set. Inline and pure.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_DIVSTEPS_H
#define CEVM_PRECOMPILES_CRYPTO_DIVSTEPS_H

#include <stdint.h>

#if defined(__SIZEOF_INT128__) && !defined(CEVM_PORTABLE)
#define CEVM_DIVSTEPS 1

__extension__ typedef __int128 divsteps_wide;

enum { DIVSTEPS_HALF = 30, DIVSTEPS = 2 * DIVSTEPS_HALF };

static const int64_t divsteps_mask = ((int64_t)1 << DIVSTEPS) - 1;

typedef struct divsteps_matrix {
    int64_t u, v, q, r;
} divsteps_matrix;

/* What the steps work on. Rows of the matrix are held as (first + second * 2^32) mod 2^64, on which sums, negations and
 * shifts act as on the two; both are at most 2^30 in DIVSTEPS_HALF steps. */
typedef struct divsteps_state {
    uint64_t f, g;
    uint64_t top, bottom;
    uint64_t zeros; /* that g ends in: even steps to come */
    int64_t eta;    /* -delta */
} divsteps_state;

/* a = b if a's eta is negative. It is at every other step or so, which no processor could foretell: there is no branch. */
static inline void divsteps_replace_if_negative(divsteps_state *a, const divsteps_state *b)
{
#if defined(__x86_64__)
    __asm__("testq %5, %5\n\tcmovsq %6, %0\n\tcmovsq %7, %1\n\tcmovsq %8, %2\n\tcmovsq %9, %3\n\t"
            "cmovsq %10, %4\n\tcmovsq %11, %5"
            : "+&r"(a->f), "+&r"(a->g), "+&r"(a->top), "+&r"(a->bottom), "+&r"(a->zeros), "+&r"(a->eta)
            : "r"(b->f), "r"(b->g), "r"(b->top), "r"(b->bottom), "r"(b->zeros), "r"(b->eta)
            : "cc");
#else
    const uint64_t mask = 0 - ((uint64_t)a->eta >> 63);
    a->f ^= (a->f ^ b->f) & mask;
    a->g ^= (a->g ^ b->g) & mask;
    a->top ^= (a->top ^ b->top) & mask;
    a->bottom ^= (a->bottom ^ b->bottom) & mask;
    a->zeros ^= (a->zeros ^ b->zeros) & mask;
    a->eta = (int64_t)((uint64_t)a->eta ^ (((uint64_t)a->eta ^ (uint64_t)b->eta) & mask));
#endif
}

/* DIVSTEPS_HALF division steps. All even steps that follow an odd one are done as one shift; of the two odd steps both are done, and
 * one is chosen, for the choice is then off the longest chain of operations. */
static inline __attribute__((always_inline)) void divsteps_half(divsteps_matrix *m, divsteps_state *state)
{
    divsteps_state s = *state;
    uint64_t stop = (uint64_t)1 << DIVSTEPS_HALF; /* one bit further down with each step */
    s.top = 1;
    s.bottom = (uint64_t)1 << 32;
    s.zeros = (uint64_t)__builtin_ctzll(s.g | stop);
    for (;;) {
        s.g >>= s.zeros;
        s.top <<= s.zeros;
        stop >>= s.zeros;
        s.eta -= (int64_t)s.zeros;
        if (stop == 1) {
            break;
        }
        divsteps_state swapped = {s.g, s.g - s.f, s.bottom, s.bottom - s.top, 0, -s.eta};
        swapped.zeros = (uint64_t)__builtin_ctzll(swapped.g | stop);
        s.g += s.f;
        s.bottom += s.top;
        s.zeros = (uint64_t)__builtin_ctzll(s.g | stop);
        divsteps_replace_if_negative(&s, &swapped);
    }
    m->u = (int32_t)(uint32_t)s.top;
    m->v = (int32_t)(uint32_t)((s.top - (uint64_t)m->u) >> 32);
    m->q = (int32_t)(uint32_t)s.bottom;
    m->r = (int32_t)(uint32_t)((s.bottom - (uint64_t)m->q) >> 32);
    *state = s;
}

/* DIVSTEPS steps on the low words of f and g; returns the new eta. */
static inline __attribute__((always_inline)) int64_t divsteps_plain(divsteps_matrix *m, int64_t eta, uint64_t f,
                                                                    uint64_t g)
{
    divsteps_state s = {f, g, 0, 0, 0, eta};
    divsteps_matrix a;
    divsteps_matrix b;
    divsteps_half(&a, &s);
    divsteps_half(&b, &s);
    m->u = b.u * a.u + b.v * a.q;
    m->v = b.u * a.v + b.v * a.r;
    m->q = b.q * a.u + b.r * a.q;
    m->r = b.q * a.v + b.r * a.r;
    return s.eta;
}

#if defined(__x86_64__)
/* With BMI2's shifts, which take one operation instead of three. */
__attribute__((target("bmi2"))) static inline int64_t divsteps_bmi2(divsteps_matrix *m, int64_t eta, uint64_t f,
                                                                    uint64_t g)
{
    return divsteps_plain(m, eta, f, g);
}
#endif

static inline int64_t divsteps_batch(divsteps_matrix *m, int64_t eta, uint64_t f, uint64_t g)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("bmi2")) {
        return divsteps_bmi2(m, eta, f, g);
    }
#endif
    return divsteps_plain(m, eta, f, g);
}

#else
#define CEVM_DIVSTEPS 0
#endif
#endif
