/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm b11r`: a block from its header and its parts, unsealed or sealed with Clique, as geth's tool builds it. */
#include <cevm/hex.h>

#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/t8n.h"
#include "state/rlp.h"

enum { CLIQUE_VANITY = 32, CLIQUE_SIGNATURE = 65 };

typedef struct b11r_options {
    const char *header, *ommers, *withdrawals, *txs, *clique;
    const char *base_dir, *block;
} b11r_options;

/* The block while it is built; JSON is held until the end, everything else lives in the arena. */
typedef struct builder {
    cevm_t8n_error *error;
    cevm_arena arena;
    json_t *stdin_json;
    cevm_block block;
    cevm_t8n_txs txs;
    bool has_coinbase, has_nonce, has_extra;
} builder;

static bool no_memory(builder *b) { return cevm_t8n_fail(b->error, CEVM_T8N_EVM, "out of memory"); }

/* A part of the input: a member of what came on standard input, or a file of its own. */
static bool read_part(json_t **out, builder *b, const char *path, const char *what)
{
    if (path == NULL || path[0] == '\0') {
        *out = NULL;
        return true;
    }
    if (strcmp(path, "stdin") != 0) {
        return cevm_t8n_read_json(out, b->error, path, what);
    }
    *out = json_incref(json_object_get(b->stdin_json, what));
    return true;
}

/* ---- The header --------------------------------------------------------------------------------------------------- */

static bool hash_field(cevm_hash *out, bool *given, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    bool found = cevm_json_find(&at, object, key);
    if (given != NULL) {
        *given = found;
    }
    return !found || cevm_json_hash(out, &at);
}

static bool u64_field(uint64_t *out, bool *given, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    bool found = cevm_json_find(&at, object, key);
    if (given != NULL) {
        *given = found;
    }
    return !found || cevm_json_u64(out, &at);
}

static bool u256_field(cevm_u256 *out, bool *given, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    bool found = cevm_json_find(&at, object, key);
    if (given != NULL) {
        *given = found;
    }
    return !found || cevm_json_u256(out, &at);
}

static bool exact_field(uint8_t *out, size_t size, bool *given, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    const char *text;
    bool found = cevm_json_find(&at, object, key);
    if (given != NULL) {
        *given = found;
    }
    return !found || (cevm_json_text(&text, &at) && (cevm_hex_decode_exact(out, size, text) ||
                                                     cevm_json_fail(&at, "must be %zu bytes of hex", size)));
}

static bool need_keys(const cevm_json_at *at)
{
    static const char *const keys[] = {"stateRoot", "number", "gasLimit", "timestamp"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (json_object_get(at->value, keys[i]) == NULL) {
            return cevm_json_fail(at, "missing required field '%s'", keys[i]);
        }
    }
    return true;
}

/* The fields that came with later forks. */
static bool read_optional(cevm_header *h, const cevm_json_at *at)
{
    bool has_used = false, has_excess = false;
    bool ok = u256_field(&h->base_fee, &h->has_base_fee, at, "baseFeePerGas") &&
              hash_field(&h->withdrawals_root, &h->has_withdrawals_root, at, "withdrawalsRoot") &&
              u64_field(&h->blob_gas_used, &has_used, at, "blobGasUsed") &&
              u64_field(&h->excess_blob_gas, &has_excess, at, "excessBlobGas") &&
              hash_field(&h->parent_beacon_root, &h->has_parent_beacon_root, at, "parentBeaconBlockRoot") &&
              hash_field(&h->requests_hash, &h->has_requests_hash, at, "requestsHash");
    if (!ok) {
        return false;
    }
    if (has_used != has_excess) {
        return cevm_json_fail(at, "blobGasUsed and excessBlobGas come together");
    }
    h->has_blob_gas = has_used;
    const bool present[] = {h->has_withdrawals_root, h->has_blob_gas, h->has_parent_beacon_root, h->has_requests_hash};
    for (size_t i = 0; i < sizeof present / sizeof present[0]; i++) {
        if (present[i] && i != 0 && !present[i - 1]) {
            return cevm_json_fail(at, "a field of a later fork needs those of the forks before it");
        }
        h->has_base_fee = h->has_base_fee || present[i]; /* it is the one that can be left out: it is 0 then */
    }
    return true;
}

static bool read_header_json(builder *b, const cevm_json_at *at)
{
    cevm_header *h = &b->block.header;
    cevm_json_at extra;
    if (!cevm_json_is_object(at) || !need_keys(at)) {
        return false;
    }
    if (cevm_json_find(&extra, at, "extraData")) {
        b->has_extra = true;
        if (!cevm_json_bytes(&h->extra_data, &extra, &b->arena)) {
            return false;
        }
    }
    bool has_ommers_hash = false;
    bool ok = hash_field(&h->parent_hash, NULL, at, "parentHash") &&
              hash_field(&h->ommers_hash, &has_ommers_hash, at, "sha3Uncles") &&
              exact_field(h->coinbase.bytes, sizeof h->coinbase.bytes, &b->has_coinbase, at, "miner") &&
              hash_field(&h->state_root, NULL, at, "stateRoot") &&
              hash_field(&h->transactions_root, NULL, at, "transactionsRoot") &&
              hash_field(&h->receipts_root, NULL, at, "receiptsRoot") &&
              exact_field(h->logs_bloom.bytes, sizeof h->logs_bloom.bytes, NULL, at, "logsBloom") &&
              u256_field(&h->difficulty, NULL, at, "difficulty") && u64_field(&h->number, NULL, at, "number") &&
              u64_field(&h->gas_limit, NULL, at, "gasLimit") && u64_field(&h->gas_used, NULL, at, "gasUsed") &&
              u64_field(&h->timestamp, NULL, at, "timestamp") && hash_field(&h->mix_hash, NULL, at, "mixHash") &&
              exact_field(h->nonce, sizeof h->nonce, &b->has_nonce, at, "nonce");
    if (ok && !has_ommers_hash) {
        ok = cevm_ommers_hash(&h->ommers_hash, b->block.ommers, b->block.ommer_count, NULL) == CEVM_OK ||
             cevm_json_fail(at, "out of memory");
    }
    return ok && read_optional(h, at);
}

static bool read_header(builder *b, const char *path)
{
    json_t *json = NULL;
    cevm_header *h = &b->block.header;
    /* Roots that are not given are those of a block without transactions. */
    if (cevm_transactions_root(&h->transactions_root, NULL, 0, NULL) != CEVM_OK) {
        return no_memory(b);
    }
    h->receipts_root = h->transactions_root;
    if (!read_part(&json, b, path, "header")) {
        return false;
    }
    if (json == NULL) {
        return cevm_t8n_fail(b->error, CEVM_T8N_JSON, "failed unmarshalling stdin: there is no \"header\"");
    }
    cevm_json_at at = cevm_json_root(json, "failed unmarshalling header", NULL, &b->error->message);
    bool ok = read_header_json(b, &at) || cevm_t8n_code(b->error, CEVM_T8N_JSON);
    json_decref(json);
    return ok;
}

/* ---- The body ----------------------------------------------------------------------------------------------------- */

static bool read_txs(builder *b, const char *path)
{
    json_t *json = NULL;
    cevm_bytes rlp;
    if (!read_part(&json, b, path, "txs")) {
        return false;
    }
    const char *text = json_string_value(json);
    bool given = text != NULL && text[0] != '\0';
    bool ok = json == NULL || text != NULL ||
              cevm_t8n_fail(b->error, CEVM_T8N_JSON, "failed unmarshalling txs: not a text of hex");
    if (ok && given) {
        ok = cevm_t8n_read_hex(&rlp, b->error, "txs", text, &b->arena) &&
             cevm_t8n_txs_from_rlp(&b->txs, b->error, rlp, &b->arena);
    }
    json_decref(json);
    cevm_bytes *raws = cevm_arena_array(&b->arena, b->txs.count, sizeof *raws);
    if (ok && raws == NULL) {
        return no_memory(b);
    }
    for (size_t i = 0; ok && i < b->txs.count; i++) {
        if (b->txs.items[i].tx == NULL) {
            return cevm_t8n_fail(b->error, CEVM_T8N_RLP, "unable to decode transaction from rlp data: %zu: %s", i,
                                 cevm_tx_error_string(b->txs.items[i].reason));
        }
        raws[i] = b->txs.items[i].raw;
    }
    b->block.raw_txs = raws;
    b->block.tx_count = b->txs.count;
    return ok;
}

/* An ommer comes as the encoding of a whole block. */
static bool read_ommer(cevm_header *out, builder *b, const cevm_json_at *at)
{
    cevm_bytes rlp, block;
    cevm_rlp_item header;
    cevm_block_error reason = CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
    if (!cevm_json_bytes(&rlp, at, &b->arena)) {
        return cevm_t8n_code(b->error, CEVM_T8N_JSON);
    }
    bool ok = cevm_rlp_next_list(&rlp, &block) && rlp.size == 0 && cevm_rlp_next(&block, &header) &&
              cevm_header_decode(out, &reason, header.whole) == CEVM_OK;
    return ok || cevm_t8n_fail(b->error, CEVM_T8N_RLP, "unable to decode ommer from rlp data: %s",
                               cevm_block_error_string(reason));
}

static bool read_ommers(builder *b, const char *path)
{
    json_t *json = NULL;
    if (!read_part(&json, b, path, "ommers")) {
        return false;
    }
    if (json == NULL || json_is_null(json)) {
        json_decref(json);
        return true;
    }
    cevm_json_at list = cevm_json_root(json, "failed unmarshalling ommers", NULL, &b->error->message);
    bool ok = cevm_json_is_array(&list) || cevm_t8n_code(b->error, CEVM_T8N_JSON);
    size_t count = ok ? json_array_size(json) : 0;
    cevm_header *headers = cevm_arena_array(&b->arena, count, sizeof *headers);
    ok = ok && (headers != NULL || no_memory(b));
    for (size_t i = 0; ok && i < count; i++) {
        cevm_json_at item = cevm_json_item(&list, i);
        ok = read_ommer(&headers[i], b, &item);
    }
    b->block.ommers = headers;
    b->block.ommer_count = count;
    json_decref(json);
    return ok;
}

static bool read_withdrawals(builder *b, const char *path)
{
    json_t *json = NULL;
    /* With any other part on standard input, withdrawals may be there too. */
    bool inherits = path == NULL && b->stdin_json != NULL;
    if (!read_part(&json, b, inherits ? "stdin" : path, "withdrawals")) {
        return false;
    }
    if (json == NULL || json_is_null(json)) {
        json_decref(json);
        return true;
    }
    cevm_json_at list = cevm_json_root(json, "failed unmarshalling withdrawals", NULL, &b->error->message);
    b->block.has_withdrawals = true;
    bool ok = cevm_t8n_read_withdrawals(&b->block.withdrawals, &b->block.withdrawal_count, &list, &b->arena) ||
              cevm_t8n_code(b->error, CEVM_T8N_JSON);
    json_decref(json);
    return ok;
}

/* ---- The seal ----------------------------------------------------------------------------------------------------- */

/* What a vote of Clique sets in the header. */
static bool vote(builder *b, const cevm_json_at *clique)
{
    cevm_header *h = &b->block.header;
    cevm_json_at at;
    if (cevm_json_find(&at, clique, "voted")) {
        if (b->has_coinbase) {
            return cevm_t8n_fail(b->error, CEVM_T8N_CONFIG,
                                 "sealing with clique and voting will overwrite provided coinbase");
        }
        if (!cevm_json_address(&h->coinbase, &at)) {
            return cevm_t8n_code(b->error, CEVM_T8N_JSON);
        }
    }
    if (cevm_json_find(&at, clique, "authorize")) {
        if (b->has_nonce) {
            return cevm_t8n_fail(b->error, CEVM_T8N_CONFIG,
                                 "sealing with clique and voting will overwrite provided nonce");
        }
        /* Which is which the tool that is followed here has turned round, and its vectors with it. */
        memset(h->nonce, json_is_true(at.value) ? 0x00 : 0xff, sizeof h->nonce);
    }
    return true;
}

static bool seal(builder *b, const cevm_json_at *clique)
{
    cevm_header *h = &b->block.header;
    uint8_t *extra = cevm_arena_zalloc(&b->arena, CLIQUE_VANITY + CLIQUE_SIGNATURE);
    uint8_t secret[32];
    cevm_hash vanity = {{0}}, digest;
    bool has_key = false;
    unsigned parity = 0;
    if (extra == NULL) {
        return no_memory(b);
    }
    if (!cevm_json_is_object(clique) || !exact_field(secret, sizeof secret, &has_key, clique, "secretKey") ||
        !hash_field(&vanity, NULL, clique, "vanity")) {
        return cevm_t8n_code(b->error, CEVM_T8N_JSON);
    }
    if (!has_key) {
        return cevm_t8n_fail(b->error, CEVM_T8N_JSON, "missing required field 'secretKey' for cliqueInput");
    }
    if (b->has_extra) {
        return cevm_t8n_fail(b->error, CEVM_T8N_CONFIG, "sealing with clique will overwrite provided extra data");
    }
    if (!vote(b, clique)) {
        return false;
    }
    memcpy(extra, vanity.bytes, CLIQUE_VANITY);
    h->extra_data = (cevm_bytes){extra, CLIQUE_VANITY}; /* what is signed lacks the signature */
    if (cevm_header_hash(&digest, h, NULL) != CEVM_OK) {
        return no_memory(b);
    }
    if (!cevm_sign(extra + CLIQUE_VANITY, extra + CLIQUE_VANITY + 32, &parity, &digest, secret)) {
        return cevm_t8n_fail(b->error, CEVM_T8N_JSON, "invalid secretKey for cliqueInput");
    }
    extra[CLIQUE_VANITY + 64] = (uint8_t)parity;
    h->extra_data.size = CLIQUE_VANITY + CLIQUE_SIGNATURE;
    return true;
}

static bool read_seal(builder *b, const char *path)
{
    json_t *json = NULL;
    if (!read_part(&json, b, path, "clique")) {
        return false;
    }
    if (json == NULL) {
        return true;
    }
    cevm_json_at at = cevm_json_root(json, "failed unmarshalling clique", NULL, &b->error->message);
    bool ok = seal(b, &at);
    json_decref(json);
    return ok;
}

/* ---- Output ------------------------------------------------------------------------------------------------------- */

static bool write_block(builder *b, const b11r_options *o)
{
    size_t size = 0;
    cevm_hash hash;
    (void)cevm_block_encode(NULL, &size, 0, &b->block, NULL);
    uint8_t *rlp = cevm_arena_alloc(&b->arena, size);
    if (rlp == NULL || cevm_block_encode(rlp, &size, size, &b->block, NULL) != CEVM_OK ||
        cevm_header_hash(&hash, &b->block.header, NULL) != CEVM_OK) {
        return no_memory(b);
    }
    json_t *json = json_object();
    bool ok = json_object_set_new(json, "rlp", cevm_t8n_json_hex((cevm_bytes){rlp, size})) == 0 &&
              json_object_set_new(json, "hash", cevm_t8n_json_hex((cevm_bytes){hash.bytes, sizeof hash.bytes})) == 0;
    if (!ok) {
        (void)no_memory(b);
    } else if (strcmp(o->block, "stdout") == 0 || strcmp(o->block, "stderr") == 0) {
        ok = cevm_t8n_write_stream(b->error, strcmp(o->block, "stderr") == 0 ? stderr : stdout, json);
    } else {
        ok = cevm_t8n_write_file(b->error, o->base_dir, o->block, json);
    }
    json_decref(json);
    return ok;
}

static bool from_stdin(const char *path) { return path != NULL && strcmp(path, "stdin") == 0; }

static bool build(cevm_t8n_error *error, const b11r_options *o)
{
    builder b = {.error = error};
    bool ok = cevm_t8n_make_folder(error, o->base_dir);
    if (ok && (from_stdin(o->header) || from_stdin(o->ommers) || from_stdin(o->withdrawals) || from_stdin(o->txs) ||
               from_stdin(o->clique))) {
        ok = cevm_t8n_read_json(&b.stdin_json, error, "stdin", "stdin");
    }
    ok = ok && read_ommers(&b, o->ommers) && read_header(&b, o->header) && read_withdrawals(&b, o->withdrawals) &&
         read_txs(&b, o->txs) && read_seal(&b, o->clique) && write_block(&b, o);
    cevm_t8n_txs_clear(&b.txs);
    json_decref(b.stdin_json);
    cevm_arena_destroy(&b.arena);
    return ok;
}

int cevm_cmd_b11r(const cevm_cli *cli, int argc, char **argv)
{
    b11r_options o = {.header = "header.json", .txs = "txs.rlp", .block = "block.json"};
    const char *verbosity = NULL;
    const cevm_option table[] = {
        {"input.header", CEVM_OPTION_TEXT, &o.header},
        {"input.ommers", CEVM_OPTION_TEXT, &o.ommers},
        {"input.withdrawals", CEVM_OPTION_TEXT, &o.withdrawals},
        {"input.txs", CEVM_OPTION_TEXT, &o.txs},
        {"seal.clique", CEVM_OPTION_TEXT, &o.clique},
        {"output.basedir", CEVM_OPTION_TEXT, &o.base_dir},
        {"output.block", CEVM_OPTION_TEXT, &o.block},
        {"verbosity", CEVM_OPTION_TEXT, &verbosity},
        {NULL, CEVM_OPTION_SWITCH, NULL},
    };
    cevm_arguments arguments;
    cevm_t8n_error error = {0};
    char command[32];
    (void)snprintf(command, sizeof command, "%s %.16s", cli->program, argv[0]);
    if (!cevm_options_parse(&arguments, table, command, argc, argv)) {
        return CEVM_T8N_CONFIG;
    }
    if (arguments.help) {
        cevm_help_b11r(stdout, cli);
        return CEVM_EXIT_OK;
    }
    return cevm_t8n_only_options(&error, &arguments) && build(&error, &o) ? CEVM_EXIT_OK : cevm_t8n_report(&error);
}

void cevm_help_b11r(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s b11r [OPTION]...          (also: %s block-builder)\n"
                  "\n"
                  "Builds a block from its header and its parts and writes its RLP and its hash.\n"
                  "Nothing is executed or checked; roots that the header does not have are those of\n"
                  "nothing.\n"
                  "\n",
                  cli->program, cli->program);
    (void)fputs("Input: a file, or stdin, where one object holds them all\n"
                "  --input.header FILE       (default header.json)\n"
                "  --input.txs FILE          an RLP list as hex text (default txs.rlp)\n"
                "  --input.ommers FILE       an array of RLP blocks as hex: the ommers have their\n"
                "                            headers\n"
                "  --input.withdrawals FILE  an array of withdrawals\n"
                "  --seal.clique FILE        seals it with Clique: secretKey, voted, authorize,\n"
                "                            vanity\n"
                "\n"
                "Output\n"
                "  --output.basedir DIR      where the file goes; it is made if it is missing\n"
                "  --output.block FILE       a file, stdout or stderr (default block.json)\n",
                to);
    (void)fprintf(to,
                  "\n"
                  "Example\n"
                  "  %s b11r --input.header header.json --input.txs txs.rlp --output.block stdout\n",
                  cli->program);
}
