/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/rpc.h: one JSON-RPC request from its parameters to its result: what a method's handler gets, and how it answers.
 *
 * Every method is a row of methods.def and a handler. The dispatcher (rpc/dispatch.h) has checked the parameters against
 * the row before it calls the handler; the handler writes exactly one JSON value to call->out, or says what is wrong with
 * cevm_rpc_fail. What was written before a failure is dropped, unless the answer is streamed: then it is made whole JSON
 * and the error stands beside it.
 *
 * Threads: handlers run on many threads at once. They hold nothing but what is in the call.
 */
#ifndef CEVM_RPC_RPC_H
#define CEVM_RPC_RPC_H

#include <cevm/types.h>
#include <jansson.h>

#include "evm/arena.h"
#include "trace/json_writer.h"

struct cevm_node;
struct cevm_session;

/** Codes of EIP-1474 and JSON-RPC 2.0, and geth's 3 for reverts. */
typedef enum cevm_rpc_code {
    CEVM_RPC_REVERTED = 3, /* data: the revert data */
    CEVM_RPC_PARSE_ERROR = -32700,
    CEVM_RPC_INVALID_REQUEST = -32600,
    CEVM_RPC_METHOD_NOT_FOUND = -32601,
    CEVM_RPC_INVALID_PARAMS = -32602,
    CEVM_RPC_INTERNAL = -32603,
    CEVM_RPC_SERVER = -32000, /* geth's code for nearly everything else: nonce, funds, fees, unknown blocks */
    CEVM_RPC_NOT_FOUND = -32001,
    CEVM_RPC_UNAVAILABLE = -32002, /* took too long */
    CEVM_RPC_REJECTED = -32003,    /* a transaction is refused */
    CEVM_RPC_UNSUPPORTED = -32004,
    CEVM_RPC_LIMIT = -32005
} cevm_rpc_code;

typedef struct cevm_rpc_error {
    int code; /* 0: none */
    char message[1024];
    char *data; /* JSON text in the call's arena, or NULL */
} cevm_rpc_error;

typedef struct cevm_rpc_row cevm_rpc_row;

typedef struct cevm_rpc_call {
    struct cevm_node *node;
    struct cevm_session *session; /* the connection, for subscriptions; NULL where there can be none (plain HTTP) */
    const cevm_rpc_row *row;
    json_t *params;        /* an array; optional parameters may be missing or null */
    cevm_json_writer *out; /* the result goes here */
    cevm_arena *arena;     /* scratch, given back after the answer */
    cevm_rpc_error error;
    uint64_t deadline_ns;        /* CLOCK_MONOTONIC, when the answer has to be there; 0 = none */
    const volatile bool *cancel; /* the client has gone or the server stops; may be NULL */
    bool is_logged;              /* somebody is told of the call afterwards */
    cevm_bytes console; /* for them: what was written with console.log, lines with their newlines; in the arena */
    size_t largest;     /* request that is taken, bytes; what unpacks to more is not */
} cevm_rpc_call;

typedef void (*cevm_rpc_handler)(cevm_rpc_call *call);

enum {
    CEVM_RPC_READ = 0,
    CEVM_RPC_WRITE = 1 << 0,   /* changes the chain, the pool or the settings */
    CEVM_RPC_STREAM = 1 << 1,  /* the result may be of any length and is sent as it is made */
    CEVM_RPC_SESSION = 1 << 2, /* needs a connection that lasts */
    CEVM_RPC_QUIET = 1 << 3,   /* polled by clients: not worth a line in the log */
    CEVM_RPC_AHEAD = 1 << 4    /* answered without waiting for blocks that are promised (cevm_node_settle) */
};

/** A row of the table. */
struct cevm_rpc_row {
    const char *name; /* "eth_getBalance" */
    cevm_rpc_handler handler;
    unsigned flags;
    const char *params; /* "address: Address, block?: Block"; see methods.def */
    const char *result;
    const char *summary;
};

/** The rows of methods.def in the order of their names, and how many. */
const cevm_rpc_row *cevm_rpc_rows(size_t *count);
const cevm_rpc_row *cevm_rpc_find(const char *name);

/** Sets the error; returns false, so that a reader of parameters can end with it. The first error stays. */
bool cevm_rpc_fail(cevm_rpc_call *call, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** The same with bytes as data, "0x…". */
bool cevm_rpc_fail_data(cevm_rpc_call *call, int code, cevm_bytes data, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** A library error in words: out of memory, a backend that fails, a limit, a deadline. */
bool cevm_rpc_fail_err(cevm_rpc_call *call, cevm_err err);

/* ---- Parameters: rpc/params.c. Each says what is wrong and returns false. ----------------------------------------- */

/** The value of parameter `index`, NULL when it is missing or null. */
json_t *cevm_rpc_param(const cevm_rpc_call *call, size_t index);
/** Readers of one JSON value; `what` names it in messages ("address", "params[0].value"). */
bool cevm_rpc_read_address(cevm_address *out, cevm_rpc_call *call, json_t *value, const char *what);
bool cevm_rpc_read_hash(cevm_hash *out, cevm_rpc_call *call, json_t *value, const char *what);
/** A quantity: "0x1f"; leading zeros are let pass, and JSON integers and decimal text too, as development nodes do. */
bool cevm_rpc_read_u64(uint64_t *out, cevm_rpc_call *call, json_t *value, const char *what);
bool cevm_rpc_read_u256(cevm_u256 *out, cevm_rpc_call *call, json_t *value, const char *what);
/** 32 bytes or a quantity, as storage keys come. */
bool cevm_rpc_read_word(cevm_u256 *out, cevm_rpc_call *call, json_t *value, const char *what);
/** Bytes of hex in the call's arena. */
bool cevm_rpc_read_data(cevm_bytes *out, cevm_rpc_call *call, json_t *value, const char *what);
bool cevm_rpc_read_bool(bool *out, cevm_rpc_call *call, json_t *value, const char *what);

/** By what a request names a block. */
typedef enum cevm_block_tag {
    CEVM_TAG_NUMBER,
    CEVM_TAG_HASH, /* {"blockHash": …} or a hash */
    CEVM_TAG_LATEST,
    CEVM_TAG_PENDING,
    CEVM_TAG_EARLIEST,
    CEVM_TAG_SAFE,
    CEVM_TAG_FINALIZED
} cevm_block_tag;

typedef struct cevm_block_id {
    cevm_block_tag tag;
    uint64_t number;
    cevm_hash hash;
    bool require_canonical; /* EIP-1898 */
} cevm_block_id;

/** A block number, tag, hash or EIP-1898 object; missing means latest. */
bool cevm_rpc_read_block_id(cevm_block_id *out, cevm_rpc_call *call, json_t *value, const char *what);

#endif
