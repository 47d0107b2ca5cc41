/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/remote_internal.h: what the files of the remote backend share (docs/adr/0013-remote-state.md).
 *
 *   remote.c        life, what is known, the interface, guessing
 *   remote_fetch.c  asking the node: batches, waits, what its answers mean
 *   remote_call.c   one call: its request and its result
 *   remote_cache.c  the file
 *   curl.c, scan.c  HTTP and JSON
 *
 * Two locks. `wire` is held by whoever talks to the node, also while it waits; `lock` guards what is known and is never
 * held while waiting for the node. wire is taken before lock.
 */
#ifndef CEVM_STATE_REMOTE_INTERNAL_H
#define CEVM_STATE_REMOTE_INTERNAL_H

#include "state/curl.h"
#include "state/log.h"
#include "state/map.h"
#include "state/rlp.h"
#include "state/scan.h"

#include <cevm/remote.h>

#include <pthread.h>

/** What can be asked for. */
typedef enum remote_kind {
    REMOTE_ACCOUNT,  /* three calls: balance, nonce, code */
    REMOTE_SLOT,     /* of `address`, at `key` */
    REMOTE_HASH,     /* of the block with number key.w[0] */
    REMOTE_CHAIN_ID, /* into `nonce` */
    REMOTE_BLOCK,    /* number key.w[0], or the newest; into cevm_remote.block */
    REMOTE_OTHER     /* `method` with `params`; the result as it stands goes to `code` */
} remote_kind;

/** Something to ask for, and the answer. */
typedef struct remote_want {
    remote_kind kind;
    bool is_newest;
    bool is_known; /* it became known while this waited */
    uint8_t left;  /* calls without an answer, a bit each */
    cevm_address address;
    cevm_u256 key;
    cevm_u256 value; /* balance, slot */
    uint64_t nonce;
    cevm_hash hash; /* of the code, of the block */
    uint8_t *code;  /* owned */
    size_t code_size;
    const char *method;
    const char *params;
} remote_want;

typedef struct remote_list {
    remote_want *items;
    size_t count;
    size_t capacity;
} remote_list;

/** How much is known of a key. */
typedef enum remote_mark { REMOTE_UNKNOWN, REMOTE_WANTED, REMOTE_KNOWN } remote_mark;

typedef struct remote_account {
    cevm_address address;
    remote_mark mark;
    uint64_t nonce;
    cevm_u256 balance;
    cevm_hash code_hash;
} remote_account;

typedef struct remote_slot {
    cevm_address address;
    remote_mark mark;
    cevm_u256 key;
    cevm_u256 value;
} remote_slot;

typedef struct remote_hash {
    uint64_t number;
    remote_mark mark;
    cevm_hash hash; /* zero: there is no such block */
} remote_hash;

typedef struct remote_code {
    cevm_hash hash;
    uint8_t *data; /* stays where it is */
    size_t size;
    bool is_saved; /* in the file */
} remote_code;

typedef struct remote_cache {
    int file; /* -1: none */
    bool is_writable;
    bool is_last; /* the block recorded last is the store's */
    char *path;
    uint64_t end; /* what was read or written up to here is whole */
} remote_cache;

struct cevm_remote {
    const cevm_allocator *allocator;
    bool is_offline;
    bool was_reached; /* something has answered */
    size_t batch;     /* the node takes so many calls in a request */
    uint32_t patience_ms;
    uint32_t first_wait_ms;
    const volatile bool *cancel;
    cevm_log_sink log;
    cevm_remote_transport transport;
    cevm_curl *curl;
    char host[256];

    cevm_remote_block block;
    uint8_t *extra_data; /* of its header */
    char tag[20];        /* its number as a parameter */

    pthread_mutex_t wire;
    pthread_mutex_t lock;
    pthread_mutex_t text_lock;
    char text[512];
    uint64_t random;

    cevm_map_seed seed;
    cevm_map account_map;
    remote_account *accounts;
    size_t account_count;
    size_t account_capacity;
    cevm_map slot_map;
    remote_slot *slots;
    size_t slot_count;
    size_t slot_capacity;
    cevm_map hash_map;
    remote_hash *hashes;
    size_t hash_count;
    size_t hash_capacity;
    cevm_map code_map;
    remote_code *codes;
    size_t code_count;
    size_t code_capacity;

    remote_list guessed;           /* what to ask for because it was guessed */
    pthread_mutex_t guessing_lock; /* held by the thread that guesses */
    bool is_guessing;
    pthread_t guesser;
    size_t guesses;

    remote_cache cache;
    cevm_remote_stat stat;
};

/* ---- remote.c -------------------------------------------------------------------------------------------------------- */

/** Notes what went wrong; gives back err. */
cevm_err cevm_remote_fail(cevm_remote *remote, cevm_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The entry of a key, made if need be. NULL: no memory. Valid until the next is made. Under `lock`. */
remote_account *cevm_remote_account_entry(cevm_remote *remote, const cevm_address *address);
remote_slot *cevm_remote_slot_entry(cevm_remote *remote, const cevm_address *address, const cevm_u256 *key);
remote_hash *cevm_remote_hash_entry(cevm_remote *remote, uint64_t number);
/** Code by hash; NULL when it is not known. Under `lock`. */
remote_code *cevm_remote_find_code(cevm_remote *remote, const cevm_hash *hash);
/** Keeps code, which is given away whatever comes of it. Under `lock`. */
cevm_err cevm_remote_keep_code(cevm_remote *remote, const cevm_hash *hash, uint8_t *data, size_t size, bool is_saved);

/* ---- remote_call.c --------------------------------------------------------------------------------------------------- */

/** How many calls a kind takes. */
unsigned cevm_remote_call_count(remote_kind kind);
const char *cevm_remote_method(const remote_want *want, unsigned part);
/** Appends the request of one call. */
void cevm_remote_put_call(cevm_buf *buf, const cevm_remote *remote, const remote_want *want, unsigned part, size_t id);
/** Takes a result into the want (a block into the store). CEVM_ERR_ENCODING when it is not what the method gives. */
cevm_err cevm_remote_take_result(cevm_remote *remote, remote_want *want, unsigned part, const cevm_scan_value *result);
/** "slot 0x… of 0x…", for messages. */
void cevm_remote_describe(char *out, size_t size, const remote_want *want);

/* ---- remote_fetch.c -------------------------------------------------------------------------------------------------- */

/** Asks for everything in a list, under `wire`. What was answered is in the wants, also when it ends with an error. */
cevm_err cevm_remote_ask(cevm_remote *remote, remote_want *wants, size_t count);

/* ---- remote_cache.c -------------------------------------------------------------------------------------------------- */

/** Opens the file. Errors: CEVM_ERR_IO, CEVM_ERR_BACKEND (not such a file), CEVM_ERR_NOMEM; nothing in it is changed. */
cevm_err cevm_remote_cache_open(cevm_remote *remote, const char *path);
void cevm_remote_cache_close(cevm_remote *remote);
/** Offline: the block of that number and chain that was recorded last, or just the last. CEVM_ERR_BACKEND: none. */
cevm_err cevm_remote_cache_find_block(cevm_remote *remote, const cevm_remote_options *options);
/** Takes over what the file knows of the block. */
cevm_err cevm_remote_cache_load(cevm_remote *remote);
/** Adds the block. */
cevm_err cevm_remote_cache_put_block(cevm_remote *remote);
/** Adds answers that are kept already. */
cevm_err cevm_remote_cache_put(cevm_remote *remote, const remote_want *wants, size_t count);

#endif
