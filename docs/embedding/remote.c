/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction over the state of a chain elsewhere, once with its node and once from what was recorded. The node is a
 * function of this program; without `transport` it would be asked over HTTP.
 */
#include <cevm/cevm.h>
#include <cevm/treedb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the node has at block 1000 (0x3e8): a sender with one ether; a contract, which follows slot 0 to the slot it
 * names, and that to the next, and keeps one more than it finds there in slot 7. */
static const struct {
    const char *method, *where, *result;
} known[] = {
    {"eth_chainId", "", "\"0x539\""},
    {"eth_getBlockByNumber", "\"0x3e8\"",
     "{\"number\":\"0x3e8\",\"timestamp\":\"0x6553f100\",\"gasLimit\":\"0x1c9c380\",\"baseFeePerGas\":\"0x7\","
     "\"hash\":\"0xb100000000000000000000000000000000000000000000000000000000001000\","
     "\"parentHash\":\"0xb100000000000000000000000000000000000000000000000000000000000999\"}"},
    {"eth_getBalance", "00aa\",", "\"0xde0b6b3a7640000\""},
    {"eth_getCode", "00cc\",", "\"0x5f54545460010160075500\""},
    {"eth_getStorageAt", "0000\",", "\"0x5\""},
    {"eth_getStorageAt", "0005\",", "\"0x9\""},
    {"eth_getStorageAt", "0009\",", "\"0x29\""},
};

typedef struct node {
    char request[1 << 16], answer[1 << 17];
} node;

static const char *find_result(const char *call)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; ++i) {
        if (strstr(call, known[i].method) != NULL && strstr(call, known[i].where) != NULL) {
            return known[i].result;
        }
    }
    return strstr(call, "eth_getCode") != NULL ? "\"0x\"" : "\"0x0\"";
}

/* The way to the node: takes one call or an array of them, each written as {"jsonrpc":…,"id":…,"method":…,"params":…}. */
static cevm_err post(void *ctx, cevm_remote_reply *out, cevm_bytes body)
{
    node *n = ctx;
    size_t size = 0;
    *out = (cevm_remote_reply){.status = 200};
    if (body.size >= sizeof n->request) {
        out->status = 413; /* fewer calls come at once then */
        return CEVM_OK;
    }
    memcpy(n->request, body.data, body.size);
    n->request[body.size] = '\0';
    const bool is_batch = n->request[0] == '[';
    const char *before = is_batch ? "[" : "";
    char *end = NULL;
    for (char *call = n->request; (call = strstr(call, "\"id\":")) != NULL && (end = strchr(call, '}')) != NULL;
         call = end + 1) {
        *end = '\0';
        const int length = snprintf(n->answer + size, sizeof n->answer - size, "%s{\"id\":%lu,\"result\":%s}", before,
                                    strtoul(call + strlen("\"id\":"), NULL, 10), find_result(call));
        if (length < 0 || (size_t)length + 2 > sizeof n->answer - size) {
            *out = (cevm_remote_reply){.is_too_large = true};
            return CEVM_OK;
        }
        size += (size_t)length;
        before = ",";
    }
    if (is_batch) {
        n->answer[size++] = ']';
    }
    out->body = (cevm_bytes){(const uint8_t *)n->answer, size};
    return CEVM_OK;
}

static uint64_t round_trips(cevm_remote *remote)
{
    cevm_remote_stat stat;
    cevm_remote_get_stat(remote, &stat);
    return stat.requests;
}

/* Applies a transaction to what `db` holds, and reads a slot of its receiver. */
static cevm_err apply(const cevm_db *db, const cevm_block_env *env, const cevm_tx *tx)
{
    cevm_vm *vm = NULL;
    cevm_state *state = NULL;
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_NONE;
    cevm_u256 slot;
    const cevm_u256 key = cevm_u256_from_u64(7);
    cevm_err err = cevm_vm_create(&vm, NULL);
    if (err == CEVM_OK && (err = cevm_state_create(&state, db, NULL)) == CEVM_OK &&
        (err = cevm_tx_apply(vm, state, &receipt, &reason, tx, env, &(cevm_block_usage){0, 0}, NULL)) == CEVM_OK &&
        reason == CEVM_TX_NONE && (err = cevm_state_commit(state)) == CEVM_OK &&
        (err = db->vtable->storage(db->ctx, &slot, &tx->to, &key)) == CEVM_OK) {
        printf("%s, slot 7 is %llu\n", cevm_status_string(receipt.status), (unsigned long long)slot.w[0]);
    }
    if (reason != CEVM_TX_NONE) {
        printf("%s\n", cevm_tx_error_string(reason));
    }
    cevm_state_destroy(state);
    cevm_vm_destroy(vm);
    return err;
}

/* Fetches what a transaction will read, then executes it over a store that keeps the changes. */
static cevm_err execute(cevm_remote *remote)
{
    const cevm_tx tx = {.type = CEVM_TX_LEGACY,
                        .gas_limit = 100000,
                        .max_fee = cevm_u256_from_u64(10),
                        .max_priority_fee = cevm_u256_from_u64(10),
                        .to = {{[19] = 0xcc}},
                        .sender = {{[19] = 0xaa}},
                        .has_sender = true};
    const cevm_tx *const txs[] = {&tx};
    const cevm_db db = cevm_remote_interface(remote);
    cevm_treedb *tree = NULL;
    cevm_remote_block block;
    cevm_chain_config config;
    cevm_execution_input input = {.struct_size = sizeof input};
    cevm_remote_get_block(remote, &block);
    cevm_remote_chain_config(&config, &block, CEVM_SHANGHAI); /* no chain that the library knows by its id */
    cevm_header_env(&input.env, &config, &block.header, true);

    cevm_err err = cevm_remote_warm_block(remote, NULL, &db, NULL, &input, txs, 1); /* then execute as always */
    const uint64_t before = round_trips(remote);
    if (err == CEVM_OK && (err = cevm_treedb_create(&tree, &db, NULL)) == CEVM_OK) {
        const cevm_db store = cevm_treedb_interface(tree);
        err = apply(&store, &input.env, &tx);
    }
    printf("round trips while it was executed: %llu\n", (unsigned long long)(round_trips(remote) - before));
    cevm_treedb_destroy(tree);
    return err;
}

/* Without its node: the same again, and something that nobody asked for before. */
static cevm_err execute_offline(cevm_remote *remote)
{
    const cevm_db db = cevm_remote_interface(remote);
    const cevm_address other = {{[19] = 0xdd}};
    cevm_db_account account;
    cevm_remote_error error;
    bool exists = false;
    cevm_err err = execute(remote);
    if (err == CEVM_OK && db.vtable->account(db.ctx, &account, &exists, &other) == CEVM_ERR_BACKEND) {
        cevm_remote_last_error(remote, &error);
        printf("%s\n", error.text);
    }
    return err;
}

int main(int argc, char **argv)
{
    static node n;
    const cevm_remote_transport transport = {.ctx = &n, .post = post};
    cevm_remote_options options = {.struct_size = sizeof options,
                                   .url = "https://node.example/v3/key",
                                   .has_block = true,
                                   .block = 1000,
                                   .cache_path = argc == 2 ? argv[1] : "remote.cache",
                                   .transport = &transport};
    cevm_remote *remote = NULL;
    cevm_remote_error error;
    cevm_err err = cevm_remote_open(&remote, &error, &options);
    if (err != CEVM_OK) {
        printf("%s\n", error.text); /* the host, the method, the reason; never the key */
        return EXIT_FAILURE;
    }
    err = execute(remote);
    cevm_remote_close(remote);
    remote = NULL;

    options.transport = NULL;
    options.offline = true;
    if (err == CEVM_OK && (err = cevm_remote_open(&remote, &error, &options)) != CEVM_OK) {
        printf("%s\n", error.text);
    } else if (err == CEVM_OK) {
        err = execute_offline(remote);
    }
    cevm_remote_close(remote);
    return err == CEVM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
// prints: stop, slot 7 is 42
// prints: round trips while it was executed: 0
// prints: stop, slot 7 is 42
// prints: round trips while it was executed: 0
// prints: offline, and remote.cache does not have account 0x00000000000000000000000000000000000000dd (block 1000, chain 1337)
