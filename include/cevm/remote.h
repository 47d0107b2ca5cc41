/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/remote.h: the backend that is someone else's node: the state of a chain at one block, asked for over JSON-RPC
 * (eth_getBalance, eth_getTransactionCount, eth_getCode, eth_getStorageAt, eth_getBlockByNumber), so that any node will do.
 *
 * What was asked for once is kept in memory and, if a file is named, in that file, which serves any number of blocks and
 * chains, may be carried to another machine, and may be used by several processes at a time. Offline nothing but the file
 * is asked; what it does not hold is an error that names it.
 *
 * Keys are asked for in batches: cevm_db_vtable.prefetch is one round trip for as many keys as the node takes at once, and
 * cevm_remote_warm_block finds the keys of a whole block in a handful of them. A node that refuses batches is asked one by
 * one. Where it limits the rate, or cannot be reached, the request is repeated after waits that grow, for as long as the
 * options say.
 *
 * What a node cannot tell over this interface: whether an account without code has storage (has_storage is then false; on
 * mainnet that concerns the 28 accounts of EIP-7610), whether an empty account exists (it does not, which is right from
 * EIP-161 on), and a state root.
 *
 * Errors are CEVM_ERR_BACKEND; cevm_remote_last_error has the host (never the rest of the URL, which can hold a key), the
 * method and the reason. libcurl is loaded when a store is opened that needs it; libcurl and the system's file functions
 * allocate with libc, the rest with the allocator.
 *
 * Threads: reads of one store may come from any number of threads at a time (the allocator must then allow it); one
 * of them at a time talks to the node, and what is known already is answered meanwhile.
 */
#ifndef CEVM_REMOTE_H
#define CEVM_REMOTE_H

#include <cevm/block.h>
#include <cevm/db.h>
#include <cevm/execution.h>
#include <cevm/log.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cevm_remote cevm_remote;

/** What came back for one request. */
typedef struct cevm_remote_reply {
    int status;           /* of HTTP; 0: there was no answer */
    bool is_too_large;    /* no answer because it exceeded the limit */
    uint32_t retry_after; /* seconds that the server wants to be left alone; 0: it does not say */
    cevm_bytes body;      /* valid until the next post */
    const char *reason;   /* with status 0: why, one line, no part of the URL; valid until the next post */
} cevm_remote_reply;

/** A way to the node other than libcurl: a socket of your own, or a test. */
typedef struct cevm_remote_transport {
    void *ctx;
    /**
     * Sends one JSON-RPC request (an object, or an array of them) and waits for the answer. Never called twice at a time.
     * Errors, for what a further try does not mend: CEVM_ERR_NOMEM, CEVM_ERR_CANCELLED. Anything else is in *out.
     */
    cevm_err (*post)(void *ctx, cevm_remote_reply *out, cevm_bytes body);
} cevm_remote_transport;

/** Zero-initialise, set struct_size, fill what you need. Everything is copied, unless it says otherwise. */
typedef struct cevm_remote_options {
    size_t struct_size;              /* sizeof(cevm_remote_options) */
    const cevm_allocator *allocator; /* NULL = libc */
    const char *url;                 /* http or https; not needed offline */
    const char *const *headers;      /* more lines of HTTP, "Authorization: Bearer …"; NULL = none */
    size_t header_count;
    bool
        has_block; /* the state after block number `block`; otherwise after the newest, offline the last one recorded */
    uint64_t block;
    bool has_chain_id; /* another chain id than this is an error; offline it chooses among the chains of the file */
    uint64_t chain_id;
    const char *cache_path; /* NULL = none; made if it is not there */
    bool offline;
    uint32_t batch_size;    /* calls in a request, 0 = 1000 */
    uint32_t timeout_ms;    /* for one request, 0 = 30 s */
    uint32_t patience_ms;   /* without any answer, waits included, 0 = 2 minutes; what never answered gets five tries */
    uint32_t first_wait_ms; /* before the second try, 0 = 250; later waits double, up to 10 s, less up to a half */
    size_t max_response;    /* bytes, 0 = 64 MiB */
    const volatile bool *cancel; /* not copied; true ends waits and requests with CEVM_ERR_CANCELLED; NULL = none */
    const cevm_remote_transport *transport; /* what ctx points to must outlive the store; NULL = libcurl */
    cevm_log_sink log;                      /* told of waits for the node (warn) and of smaller batches (info) */
} cevm_remote_options;

/** Text of an error, one line. */
typedef struct cevm_remote_error {
    char text[512];
} cevm_remote_error;

/**
 * Opens the state of a chain at a block. Errors, with error->text: CEVM_ERR_BACKEND (the node), CEVM_ERR_IO (the file, or
 * libcurl is not there), CEVM_ERR_ARGUMENT, CEVM_ERR_CANCELLED, CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_remote_open(cevm_remote **out, cevm_remote_error *error, const cevm_remote_options *options);
/** NULL is allowed. */
CEVM_API void cevm_remote_close(cevm_remote *remote);
/**
 * The state as a backend, valid as long as the store: for reading only (commit is NULL). To execute over it with changes
 * that are kept, put a store over it that keeps them: cevm_treedb_create with this as its base.
 */
CEVM_API cevm_db cevm_remote_interface(cevm_remote *remote);
/** What the last error was about; empty when there was none. */
CEVM_API void cevm_remote_last_error(cevm_remote *remote, cevm_remote_error *out);

/** The block whose state this is, as the node tells it. */
typedef struct cevm_remote_block {
    uint64_t chain_id;
    cevm_hash hash;
    cevm_header header; /* extra_data is owned by the store */
} cevm_remote_block;

/** Tells it; *out is valid as long as the store. */
CEVM_API void cevm_remote_get_block(const cevm_remote *remote, cevm_remote_block *out);

/** What it took so far. */
typedef struct cevm_remote_stat {
    uint64_t requests; /* round trips, failed ones included */
    uint64_t calls;    /* of methods, in all requests */
    uint64_t retries;  /* requests that were repeated after a wait */
    uint64_t waited_ms;
    uint64_t sent_bytes;
    uint64_t received_bytes;
    uint64_t accounts; /* known now */
    uint64_t slots;
    uint64_t codes;
} cevm_remote_stat;

/** Tells it, also while other threads read. */
CEVM_API void cevm_remote_get_stat(cevm_remote *remote, cevm_remote_stat *out);

/**
 * Takes a slot for zero unless it is known, so that nobody is asked: for one that is about to be overwritten by what does
 * not care for its value. Not recorded. Errors: CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_remote_assume_zero(cevm_remote *remote, const cevm_address *address, const cevm_u256 *key);

/**
 * Asks the node anything else: `params` is a JSON array. *result is the JSON that came, with a NUL behind it, freed with the
 * store's allocator; it is not kept in the file. An error object of the node is CEVM_ERR_BACKEND, its message in the last
 * error. Offline everything is.
 */
CEVM_API cevm_err cevm_remote_call(cevm_remote *remote, char **result, const char *method, const char *params);

/** The rules of a block's chain: the preset with its chain id, or `fork` from the start where there is none. */
CEVM_API void cevm_remote_chain_config(cevm_chain_config *out, const cevm_remote_block *block, cevm_fork fork);

/* ---- Finding out what a block will read ------------------------------------------------------------------------------ */

/**
 * From now on, what the calling thread reads and the store does not know is answered with a guess (zero, no account) and
 * noted; nobody is asked. For an execution whose outcome is thrown away. Waits while another thread guesses.
 * CEVM_ERR_ARGUMENT when this one does already.
 */
CEVM_API cevm_err cevm_remote_begin_guessing(cevm_remote *remote);
/** How many answers were guessed since. */
CEVM_API size_t cevm_remote_guess_count(cevm_remote *remote);
/** Back to true answers. *guesses: how many were guessed. Called by the same thread. */
CEVM_API void cevm_remote_end_guessing(cevm_remote *remote, size_t *guesses);
/** Asks for everything that was guessed, in as few round trips as the node allows. */
CEVM_API cevm_err cevm_remote_fetch_guessed(cevm_remote *remote);

/**
 * Fetches all that a block will read: first what its transactions name, then, executing it over guesses again and again,
 * what those executions asked for, until one asked for nothing new. What follows then needs no round trip, whether or not
 * the transactions are valid. `db` is the backend the block is executed over: that of the store, or one over it. The
 * transactions' senders are known. config may be NULL; it should bound the execution as the real one's does. *rounds (may
 * be NULL) receives how often it was executed. Errors: those of the store, CEVM_ERR_NOMEM, CEVM_ERR_CANCELLED.
 */
CEVM_API cevm_err cevm_remote_warm_block(cevm_remote *remote, size_t *rounds, const cevm_db *db,
                                         const cevm_vm_config *config, const cevm_execution_input *input,
                                         const cevm_tx *const *txs, size_t tx_count);

#ifdef __cplusplus
}
#endif
#endif
