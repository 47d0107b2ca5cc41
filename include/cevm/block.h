/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/block.h: headers, bodies and receipts: their codec, the rules that tie a header to its parent, and the reasons to
 * reject a block.
 *
 * Everything here is a function of its arguments. Decoded blocks are immutable and may be shared between threads.
 */
#ifndef CEVM_BLOCK_H
#define CEVM_BLOCK_H

#include <cevm/chain_config.h>
#include <cevm/tx.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a block is not valid; named as the official vectors name it (block_errors.def). 0 = it is. */
typedef enum cevm_block_error {
#define BLOCK_ERROR(id, older, code, text) CEVM_BLOCK_##id,
#include <cevm/block_errors.def>
#undef BLOCK_ERROR
    CEVM_BLOCK_ERROR_COUNT
} cevm_block_error;

/** "INVALID_GASLIMIT": the vectors' name without its prefix; static storage, never NULL. */
CEVM_API const char *cevm_block_error_name(cevm_block_error error);
/** A sentence without its point, geth's wording where geth has one; static storage, never NULL. */
CEVM_API const char *cevm_block_error_string(cevm_block_error error);
/** The JSON-RPC error code. */
CEVM_API int cevm_block_error_rpc_code(cevm_block_error error);

/** What is wrong with a block. */
typedef struct cevm_block_verdict {
    cevm_block_error error; /* NONE: the block is valid */
    cevm_tx_error tx_error; /* with TRANSACTION: why the transaction is not valid */
    size_t tx_index;        /* with TRANSACTION: which one, from 0 */
} cevm_block_verdict;

/**
 * Whether a vector's "expectException" ("BlockException.A|TransactionException.B", "UncleInChain", "TR_NoFunds") names the
 * verdict. Never true of a valid block.
 */
CEVM_API bool cevm_block_verdict_matches(const cevm_block_verdict *verdict, const char *expected);

/** A bloom filter of 2048 bits over addresses and topics of logs (Yellow Paper, section 4.3.1). */
typedef struct cevm_bloom {
    uint8_t bytes[256];
} cevm_bloom;

/** Adds a value. */
CEVM_API void cevm_bloom_add(cevm_bloom *bloom, cevm_bytes value);
/** Adds the addresses and topics of logs. */
CEVM_API void cevm_bloom_add_logs(cevm_bloom *bloom, const cevm_log *logs, size_t count);

/** A block header. The optional fields come in the order of their forks; each needs all before it. */
typedef struct cevm_header {
    cevm_hash parent_hash;
    cevm_hash ommers_hash;
    cevm_address coinbase;
    cevm_hash state_root;
    cevm_hash transactions_root;
    cevm_hash receipts_root;
    cevm_bloom logs_bloom;
    cevm_u256 difficulty;
    uint64_t number;
    uint64_t gas_limit;
    uint64_t gas_used;
    uint64_t timestamp; /* seconds */
    cevm_bytes extra_data;
    cevm_hash mix_hash; /* proof of work; prev_randao from Paris (EIP-4399) */
    uint8_t nonce[8];   /* proof of work; zero from Paris */
    bool has_base_fee;  /* EIP-1559 */
    cevm_u256 base_fee;
    bool has_withdrawals_root; /* EIP-4895 */
    cevm_hash withdrawals_root;
    bool has_blob_gas; /* EIP-4844 */
    uint64_t blob_gas_used;
    uint64_t excess_blob_gas;
    bool has_parent_beacon_root; /* EIP-4788 */
    cevm_hash parent_beacon_root;
    bool has_requests_hash; /* EIP-7685 */
    cevm_hash requests_hash;
} cevm_header;

/** EIP-4895: paid without gas, in gwei. */
typedef struct cevm_withdrawal {
    uint64_t index;
    uint64_t validator_index;
    cevm_address address;
    uint64_t amount; /* gwei */
} cevm_withdrawal;

/**
 * A block. cevm_block_decode allocates everything with the struct, freed by cevm_block_destroy; a caller may also fill one
 * over its own arrays.
 */
typedef struct cevm_block {
    cevm_header header;
    cevm_hash hash;            /* keccak256 of the header's encoding */
    size_t rlp_size;           /* bytes of the block's encoding, for EIP-7934 */
    cevm_tx *const *txs;       /* senders are not recovered by decoding */
    const cevm_bytes *raw_txs; /* each as it stands in the transactions trie; parallel to txs */
    size_t tx_count;
    const cevm_header *ommers;
    size_t ommer_count;
    bool has_withdrawals; /* the body has the list of EIP-4895 */
    const cevm_withdrawal *withdrawals;
    size_t withdrawal_count;
} cevm_block;

/**
 * Decodes a header. extra_data points into `rlp`.
 * @return CEVM_OK or CEVM_ERR_ENCODING with *reason set.
 */
CEVM_API cevm_err cevm_header_decode(cevm_header *out, cevm_block_error *reason, cevm_bytes rlp);
/**
 * Encodes a header as cevm_header_decode reads it. Call with out = NULL to learn the size. Errors: CEVM_ERR_LIMIT when
 * capacity is too small, CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_header_encode(uint8_t *out, size_t *size, size_t capacity, const cevm_header *header,
                                     const cevm_allocator *allocator);
/** keccak256 of the encoding. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_header_hash(cevm_hash *out, const cevm_header *header, const cevm_allocator *allocator);

/**
 * Decodes a block: [header, transactions, ommers] or, from Shanghai, [header, transactions, ommers, withdrawals]. The bytes
 * are copied. Nothing is checked but the encoding.
 *
 * @return CEVM_OK; CEVM_ERR_ENCODING with *verdict set; CEVM_ERR_NOMEM. *out is NULL unless CEVM_OK.
 */
CEVM_API cevm_err cevm_block_decode(cevm_block **out, cevm_block_verdict *verdict, cevm_bytes rlp,
                                    const cevm_allocator *allocator);
/** Frees a decoded block, with the allocator that it was decoded with. NULL is allowed. */
CEVM_API void cevm_block_destroy(cevm_block *block, const cevm_allocator *allocator);
/** Encodes a block as cevm_block_decode reads it; conventions of cevm_header_encode. raw_txs are written as they are. */
CEVM_API cevm_err cevm_block_encode(uint8_t *out, size_t *size, size_t capacity, const cevm_block *block,
                                    const cevm_allocator *allocator);

/** Root of the trie of transactions (each as in cevm_block.raw_txs). Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_transactions_root(cevm_hash *out, const cevm_bytes *raw_txs, size_t count,
                                         const cevm_allocator *allocator);
/** Root of the trie of withdrawals (EIP-4895). Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_withdrawals_root(cevm_hash *out, const cevm_withdrawal *withdrawals, size_t count,
                                        const cevm_allocator *allocator);
/** keccak256(rlp(ommers)). Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_ommers_hash(cevm_hash *out, const cevm_header *ommers, size_t count,
                                   const cevm_allocator *allocator);
/** keccak256(rlp([])), the ommers hash of a block without ommers. */
CEVM_API extern const cevm_hash cevm_empty_ommers_hash;

/** EIP-7934: the most bytes a block's encoding may have: 10 MiB less a margin of 2 MiB. */
enum { CEVM_MAX_BLOCK_SIZE = 8 * 1024 * 1024 };
/** Whether a block of this encoded size (cevm_block.rlp_size) is not too large for `fork`. */
CEVM_API bool cevm_block_size_is_valid(cevm_fork fork, size_t rlp_size);

/* ---- The rules between a header and its parent -------------------------------------------------------------------- */

/** Difficulty of a child under the rules of `fork`, its bomb delayed as the chain's glaciers say. Zero from Paris. */
CEVM_API void cevm_next_difficulty(cevm_u256 *out, const cevm_chain_config *config, cevm_fork fork, uint64_t number,
                                   uint64_t timestamp, const cevm_u256 *parent_difficulty, uint64_t parent_timestamp,
                                   bool parent_has_ommers);
/** EIP-1559's base fee of a child; `parent_is_1559` false gives the initial one (10^9 wei). */
CEVM_API void cevm_next_base_fee(cevm_u256 *out, bool parent_is_1559, const cevm_u256 *parent_base_fee,
                                 uint64_t parent_gas_used, uint64_t parent_gas_limit);
/**
 * Excess blob gas of a child (EIP-4844; EIP-7918's reserve price where `fork` has it), with the blob parameters of the
 * child. Parents without blob gas count as 0.
 */
CEVM_API uint64_t cevm_next_excess_blob_gas(cevm_fork fork, const cevm_blob_params *params, uint64_t parent_excess,
                                            uint64_t parent_blob_gas_used, const cevm_u256 *parent_base_fee);

/**
 * Checks a header against its parent: number, time, extra data, difficulty (from Paris on that it is zero, as the nonce, and
 * that there are no ommers), gas limit, which fields there are, base fee, excess blob gas. Not that the parent is the one
 * parent_hash names, not the seal, nor what the body decides: roots, blob gas used. `is_merged` is about the child (see
 * cevm_chain_fork). *reason is NONE when all is well.
 */
CEVM_API void cevm_header_check(cevm_block_error *reason, const cevm_chain_config *config, const cevm_header *header,
                                const cevm_header *parent, bool is_merged);

/** The environment that a block's transactions see. */
CEVM_API void cevm_header_env(cevm_block_env *out, const cevm_chain_config *config, const cevm_header *header,
                              bool is_merged);

/** Verifies Ethash proof of work; holds the light cache (16 MiB and more) of the epoch it saw last. One thread at a time. */
typedef struct cevm_ethash cevm_ethash;

/** Makes a verifier without a cache as yet, freed with cevm_ethash_destroy. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_ethash_create(cevm_ethash **out, const cevm_allocator *allocator);
/** NULL is allowed. */
CEVM_API void cevm_ethash_destroy(cevm_ethash *ethash);
/**
 * Checks difficulty, mix hash and nonce of a header before Paris. The first header of an epoch takes about half a second,
 * the others milliseconds. *valid is meaningful only with CEVM_OK. Errors: CEVM_ERR_NOMEM; CEVM_ERR_LIMIT beyond epoch 2048
 * (block 61,469,999).
 */
CEVM_API cevm_err cevm_ethash_verify(cevm_ethash *ethash, bool *valid, const cevm_header *header);
/** The same for one header; the cache is made for the call. Errors: the same. */
CEVM_API cevm_err cevm_ethash_check(bool *valid, const cevm_header *header, const cevm_allocator *allocator);

#ifdef __cplusplus
}
#endif
#endif
