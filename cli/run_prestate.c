/* SPDX-License-Identifier: Apache-2.0 */
/* The state before a run: a genesis file as geth has it, or its "alloc" alone. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run.h"

/* Which key of a genesis "config" switches a fork on, by block number or by time. */
static const struct {
    const char *key;
    cevm_fork fork;
    bool by_time;
} schedule[] = {
    {"homesteadBlock", CEVM_HOMESTEAD, false},
    {"eip150Block", CEVM_TANGERINE_WHISTLE, false},
    {"eip158Block", CEVM_SPURIOUS_DRAGON, false},
    {"byzantiumBlock", CEVM_BYZANTIUM, false},
    {"constantinopleBlock", CEVM_CONSTANTINOPLE, false},
    {"petersburgBlock", CEVM_PETERSBURG, false},
    {"istanbulBlock", CEVM_ISTANBUL, false},
    {"berlinBlock", CEVM_BERLIN, false},
    {"londonBlock", CEVM_LONDON, false},
    {"mergeNetsplitBlock", CEVM_PARIS, false},
    {"shanghaiTime", CEVM_SHANGHAI, true},
    {"cancunTime", CEVM_CANCUN, true},
    {"pragueTime", CEVM_PRAGUE, true},
    {"osakaTime", CEVM_OSAKA, true},
};

/* Where a value that cannot be read stands, for the message. */
typedef struct place {
    const cevm_run_options *options;
    const char *account; /* NULL in the header */
} place;

static bool bad(const place *p, const char *key, const char *what)
{
    (void)fprintf(stderr, "%s: %s: ", p->options->command, p->options->prestate);
    if (p->account != NULL) {
        (void)fprintf(stderr, "account %s: ", p->account);
    }
    (void)fprintf(stderr, "%s %s\n", key, what);
    return false;
}

/* A number written as hex text, decimal text or a JSON integer; absent is fine and leaves *out. */
static bool read_number(cevm_u256 *out, const place *p, const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    if (v == NULL || json_is_null(v)) {
        return true;
    }
    if (json_is_integer(v) && json_integer_value(v) >= 0) {
        *out = cevm_u256_from_u64((uint64_t)json_integer_value(v));
        return true;
    }
    if (json_is_string(v) && cevm_u256_from_text(out, json_string_value(v))) {
        return true;
    }
    return bad(p, key, "is not a number");
}

static bool read_u64(uint64_t *out, const place *p, const json_t *object, const char *key)
{
    cevm_u256 v = cevm_u256_from_u64(*out);
    if (!read_number(&v, p, object, key)) {
        return false;
    }
    *out = v.w[0];
    return cevm_u256_fits_u64(&v) || bad(p, key, "does not fit 64 bits");
}

static bool read_fixed(uint8_t *out, size_t size, const place *p, const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    if (v == NULL || json_is_null(v)) {
        return true;
    }
    return (json_is_string(v) && cevm_hex_decode_exact(out, size, json_string_value(v))) ||
           bad(p, key, "is not hex of the right size");
}

static bool read_config(cevm_run_world *world, const place *p, const json_t *config)
{
    cevm_fork fork = CEVM_FRONTIER;
    cevm_u256 total = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    if (!read_u64(&world->block.chain_id, p, config, "chainId") ||
        !read_number(&total, p, config, "terminalTotalDifficulty")) {
        return false;
    }
    for (size_t i = 0; i < sizeof schedule / sizeof schedule[0]; ++i) {
        uint64_t at = UINT64_MAX;
        if (!read_u64(&at, p, config, schedule[i].key)) {
            return false;
        }
        if (at <= (schedule[i].by_time ? world->block.timestamp : world->block.number) && at != UINT64_MAX) {
            fork = schedule[i].fork;
        }
    }
    if (fork == CEVM_LONDON && cevm_u256_is_zero(&total)) {
        fork = CEVM_PARIS;
    }
    world->block.fork = fork;
    return true;
}

static bool read_header(cevm_run_world *world, const place *p, const json_t *root)
{
    cevm_block_env *b = &world->block;
    const json_t *config = json_object_get(root, "config");
    return read_u64(&b->number, p, root, "number") && read_u64(&b->timestamp, p, root, "timestamp") &&
           read_u64(&world->gas_limit, p, root, "gasLimit") && read_number(&b->difficulty, p, root, "difficulty") &&
           read_number(&b->base_fee, p, root, "baseFeePerGas") &&
           read_fixed(b->coinbase.bytes, sizeof b->coinbase.bytes, p, root, "coinbase") &&
           read_fixed(b->prev_randao.bytes, sizeof b->prev_randao.bytes, p, root, "mixHash") &&
           (!json_is_object(config) || read_config(world, p, config));
}

static bool store_failed(const place *p, cevm_err err)
{
    (void)fprintf(stderr, "%s: %s: %s\n", p->options->command, p->options->prestate, cevm_err_string(err));
    return false;
}

static bool read_storage(cevm_memdb *db, const place *p, const cevm_address *address, json_t *storage)
{
    const char *key = NULL;
    json_t *value = NULL;
    if (storage != NULL && !json_is_object(storage)) {
        return bad(p, "storage", "is not an object");
    }
    json_object_foreach(storage, key, value)
    {
        char text[80];
        cevm_u256 slot;
        cevm_u256 word = {{0, 0, 0, 0}};
        bool prefixed = strncmp(key, "0x", 2) == 0;
        (void)snprintf(text, sizeof text, "%s%.72s", prefixed ? "" : "0x", key);
        if (!cevm_u256_from_text(&slot, text)) {
            return bad(p, "storage", "has a key that is no number");
        }
        if (!read_number(&word, p, storage, key)) {
            return false;
        }
        cevm_err err = cevm_memdb_set_storage(db, address, &slot, &word);
        if (err != CEVM_OK) {
            return store_failed(p, err);
        }
    }
    return true;
}

static bool read_account(cevm_memdb *db, const place *p, const cevm_address *address, json_t *account,
                         const cevm_bytes *code)
{
    cevm_u256 balance = {{0, 0, 0, 0}};
    uint64_t nonce = 0;
    cevm_blob own = {0};
    const json_t *text = json_object_get(account, "code");
    if (!json_is_object(account)) {
        return bad(p, "value", "is not an object");
    }
    if (!read_number(&balance, p, account, "balance") || !read_u64(&nonce, p, account, "nonce")) {
        return false;
    }
    if (text != NULL && !json_is_string(text)) {
        return bad(p, "code", "is not text");
    }
    if (code == NULL && text != NULL) {
        char what[128];
        (void)snprintf(what, sizeof what, "%.50s: code of %.50s", p->options->prestate, p->account);
        if (!cevm_parse_hex(&own, p->options->command, what, json_string_value(text), json_string_length(text))) {
            return false;
        }
    }
    cevm_bytes used = code != NULL ? *code : (cevm_bytes){own.data, own.size};
    cevm_err err = cevm_memdb_set_account(db, address, &balance, nonce, used);
    cevm_blob_free(&own);
    if (err != CEVM_OK) {
        return store_failed(p, err);
    }
    return read_storage(db, p, address, json_object_get(account, "storage"));
}

static bool read_alloc(cevm_memdb *db, const cevm_run_options *options, json_t *alloc, const cevm_address *receiver,
                       const cevm_bytes *code, bool *has_receiver)
{
    const char *key = NULL;
    json_t *account = NULL;
    json_object_foreach(alloc, key, account)
    {
        place p = {options, key};
        cevm_address address;
        if (!cevm_hex_decode_exact(address.bytes, sizeof address.bytes, key)) {
            p.account = NULL;
            return bad(&p, key, "is no address (20 bytes of hex)");
        }
        bool is_receiver = cevm_address_equal(&address, receiver);
        *has_receiver = *has_receiver || is_receiver;
        if (!read_account(db, &p, &address, account, is_receiver ? code : NULL)) {
            return false;
        }
    }
    return true;
}

static bool load_file(cevm_memdb *db, cevm_run_world *world, const cevm_run_options *options,
                      const cevm_address *receiver, const cevm_bytes *code, bool *has_receiver)
{
    cevm_blob text;
    json_error_t where;
    if (!cevm_read_file(&text, options->command, options->prestate)) {
        return false;
    }
    json_t *root = json_loadb((const char *)text.data, text.size, 0, &where);
    cevm_blob_free(&text);
    if (root == NULL) {
        (void)fprintf(stderr, "%s: %s, line %d, column %d: %s\n", options->command, options->prestate, where.line,
                      where.column, where.text);
        return false;
    }
    json_t *alloc = json_object_get(root, "alloc");
    bool whole = alloc != NULL;
    place header = {options, NULL};
    bool ok = json_is_object(whole ? alloc : root);
    if (!ok) {
        (void)bad(&header, "alloc", "is not an object of accounts");
    }
    ok = ok && (!whole || read_header(world, &header, root)) &&
         read_alloc(db, options, whole ? alloc : root, receiver, code, has_receiver);
    json_decref(root);
    return ok;
}

bool cevm_run_load_prestate(cevm_memdb *db, cevm_run_world *world, const cevm_run_options *options,
                            const cevm_address *receiver, cevm_bytes code)
{
    bool has_receiver = false;
    if (options->prestate != NULL &&
        !load_file(db, world, options, receiver, code.size != 0 ? &code : NULL, &has_receiver)) {
        return false;
    }
    if (code.size != 0 && !has_receiver) {
        static const cevm_u256 zero = {{0, 0, 0, 0}};
        cevm_err err = cevm_memdb_set_account(db, receiver, &zero, 0, code);
        if (err != CEVM_OK) {
            (void)fprintf(stderr, "%s: %s\n", options->command, cevm_err_string(err));
            return false;
        }
    }
    return true;
}
