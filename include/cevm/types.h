/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/types.h: the values every other header speaks of, the error codes of the library, and the allocator.
 *
 * All byte strings are big-endian, as Ethereum writes them. Nothing here holds state; everything is safe on any thread.
 */
#ifndef CEVM_TYPES_H
#define CEVM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define CEVM_API
#else
#define CEVM_API __attribute__((visibility("default")))
#endif

/** An account address: the last 20 bytes of keccak256(public key). */
typedef struct cevm_address {
    uint8_t bytes[20];
} cevm_address;

/** 32 big-endian bytes: a hash, a root, a storage key as it is hashed. */
typedef struct cevm_hash {
    uint8_t bytes[32];
} cevm_hash;

/** An unsigned 256-bit integer; w[0] is the least significant 64-bit limb, whatever the host's byte order. */
typedef struct cevm_u256 {
    uint64_t w[4];
} cevm_u256;

/** A read-only view of bytes. It owns nothing; data may be NULL only when size is 0. */
typedef struct cevm_bytes {
    const uint8_t *data;
    size_t size;
} cevm_bytes;

/**
 * Why a library call could not do its work. It says nothing about the program executed (cevm_status) or the transaction
 * judged (cevm_tx_error). After any code but CEVM_OK the call's outputs are undefined unless its comment says otherwise.
 */
typedef enum cevm_err {
    CEVM_OK = 0,
    CEVM_ERR_NOMEM,     /* the allocator returned NULL */
    CEVM_ERR_BACKEND,   /* the state backend could not answer; never read as "zero" */
    CEVM_ERR_ENCODING,  /* input bytes are not what the format demands */
    CEVM_ERR_ARGUMENT,  /* the caller broke the function's contract */
    CEVM_ERR_IO,        /* a file could not be read or written */
    CEVM_ERR_LIMIT,     /* a limit the host configured was reached (memory, output) */
    CEVM_ERR_CANCELLED, /* the host's cancel flag or deadline stopped the execution */
    CEVM_ERR_NOT_BUILT, /* execution reached a precompiled contract that this build does not hold */
    CEVM_ERR_COUNT
} cevm_err;

/** A short English phrase for err, never NULL; static storage. */
CEVM_API const char *cevm_err_string(cevm_err err);

/**
 * The allocator of a context. One function, as in Lua: `resize(ctx, NULL, n)` allocates, `resize(ctx, p, 0)` frees and
 * returns NULL, anything else reallocates. It returns memory aligned for any type, or NULL when it cannot (the old block
 * then stays valid). It is called from the thread that uses the context, and must outlive it.
 */
typedef struct cevm_allocator {
    void *ctx;
    void *(*resize)(void *ctx, void *ptr, size_t new_size);
} cevm_allocator;

/** The allocator over libc's realloc and free; what a NULL allocator means everywhere. */
CEVM_API const cevm_allocator *cevm_default_allocator(void);

/** keccak256(""), the code hash of an account without code. */
CEVM_API extern const cevm_hash cevm_empty_code_hash;

/** Library version, "MAJOR.MINOR.PATCH"; static storage. */
CEVM_API const char *cevm_version(void);

static inline bool cevm_address_equal(const cevm_address *a, const cevm_address *b)
{
    /* In the pieces in which cevm_address_from_u256 writes: a load that takes from two stores has to wait for both. */
    uint64_t x;
    uint64_t y;
    memcpy(&x, a->bytes + 8, sizeof x);
    memcpy(&y, b->bytes + 8, sizeof y);
    if (x != y) {
        return false;
    }
    uint32_t last_x;
    uint32_t last_y;
    memcpy(&x, a->bytes, sizeof x);
    memcpy(&y, b->bytes, sizeof y);
    memcpy(&last_x, a->bytes + 16, sizeof last_x);
    memcpy(&last_y, b->bytes + 16, sizeof last_y);
    return ((x ^ y) | (last_x ^ last_y)) == 0;
}

static inline bool cevm_hash_equal(const cevm_hash *a, const cevm_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/*
 * Numbers in big-endian bytes are what the interpreter reads and writes most, and not every compiler makes one load out of
 * eight, at every place and level of optimisation: where the byte order is known, it is told.
 */

/** Eight big-endian bytes as a number. */
static inline uint64_t cevm_load_be64(const uint8_t *p)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
#else
    return ((uint64_t)p[0] << 56) | ((uint64_t)p[1] << 48) | ((uint64_t)p[2] << 40) | ((uint64_t)p[3] << 32) |
           ((uint64_t)p[4] << 24) | ((uint64_t)p[5] << 16) | ((uint64_t)p[6] << 8) | (uint64_t)p[7];
#endif
}

/** A number as eight big-endian bytes. */
static inline void cevm_store_be64(uint8_t *p, uint64_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof v);
#else
    for (int i = 7; i >= 0; --i, v >>= 8) {
        p[i] = (uint8_t)v;
    }
#endif
}

/** A number as four big-endian bytes. */
static inline void cevm_store_be32(uint8_t *p, uint32_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
#else
    for (int i = 3; i >= 0; --i, v >>= 8) {
        p[i] = (uint8_t)v;
    }
#endif
}

/** 32 big-endian bytes as a number. */
static inline cevm_u256 cevm_u256_from_be(const uint8_t p[32])
{
    cevm_u256 r;
    r.w[3] = cevm_load_be64(p);
    r.w[2] = cevm_load_be64(p + 8);
    r.w[1] = cevm_load_be64(p + 16);
    r.w[0] = cevm_load_be64(p + 24);
    return r;
}

/** A number as 32 big-endian bytes. */
static inline void cevm_u256_to_be(uint8_t p[32], const cevm_u256 *v)
{
    cevm_store_be64(p, v->w[3]);
    cevm_store_be64(p + 8, v->w[2]);
    cevm_store_be64(p + 16, v->w[1]);
    cevm_store_be64(p + 24, v->w[0]);
}

static inline cevm_u256 cevm_u256_from_u64(uint64_t v)
{
    cevm_u256 r = {{v, 0, 0, 0}};
    return r;
}

static inline bool cevm_u256_is_zero(const cevm_u256 *v) { return (v->w[0] | v->w[1] | v->w[2] | v->w[3]) == 0; }

static inline bool cevm_u256_equal(const cevm_u256 *a, const cevm_u256 *b)
{
    return ((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3])) == 0;
}

/** Whether v fits 64 bits. */
static inline bool cevm_u256_fits_u64(const cevm_u256 *v) { return (v->w[1] | v->w[2] | v->w[3]) == 0; }

/** The low 160 bits of a stack word as an address. */
static inline cevm_address cevm_address_from_u256(const cevm_u256 *v)
{
    cevm_address a;
    /* Written in the pieces in which it is read: a load that takes from two stores has to wait for both. */
    cevm_store_be64(a.bytes, (v->w[2] << 32) | (v->w[1] >> 32));
    cevm_store_be64(a.bytes + 8, (v->w[1] << 32) | (v->w[0] >> 32));
    cevm_store_be32(a.bytes + 16, (uint32_t)v->w[0]);
    return a;
}

/** An address as a stack word. */
static inline cevm_u256 cevm_u256_from_address(const cevm_address *a)
{
    cevm_u256 r;
    r.w[3] = 0;
    r.w[2] = cevm_load_be64(a->bytes) >> 32;
    r.w[1] = cevm_load_be64(a->bytes + 4);
    r.w[0] = cevm_load_be64(a->bytes + 12);
    return r;
}

#ifdef __cplusplus
}
#endif
#endif
