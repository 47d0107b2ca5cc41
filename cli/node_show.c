/* SPDX-License-Identifier: Apache-2.0 */
/* What `cevm node` shows besides its log: help, banner, methods. */
#include "cli/node.h"

#include <inttypes.h>
#include <string.h>

#include <cevm/cevm.h>
#include <cevm/hex.h>

/* ---- Banner ------------------------------------------------------------------------------------------------------------- */

static void banner_json(cevm_node *node, const cevm_server *server, const cevm_world *world)
{
    char text[43];
    (void)printf("{\"event\":\"listening\",\"url\":\"http://%s:%u\",\"chainId\":%" PRIu64
                 ",\"fork\":\"%s\",\"accounts\":[",
                 cevm_server_address(server), (unsigned)cevm_server_port(server), world->settings.config.chain_id,
                 cevm_fork_name(world->head->fork));
    for (size_t i = 0; i < cevm_node_account_count(node) && i < 100; ++i) {
        cevm_address address;
        uint8_t key[32];
        cevm_node_account(node, i, &address, key);
        cevm_address_to_text(text, &address);
        (void)printf("%s\"%s\"", i != 0 ? "," : "", text);
    }
    (void)printf("]}\n");
}

static void accounts(cevm_node *node, bool keys)
{
    size_t count = cevm_node_account_count(node);
    for (size_t i = 0; i < count && i < 20; ++i) {
        cevm_address address;
        uint8_t key[32];
        char text[65];
        cevm_node_account(node, i, &address, key);
        if (keys) {
            cevm_hex_encode(text, key, sizeof key);
            (void)printf("  (%zu) 0x%s\n", i, text);
        } else {
            cevm_address_to_text(text, &address);
            (void)printf("  (%zu) %s\n", i, text);
        }
    }
    if (count > 20) {
        (void)printf("  and %zu more: eth_accounts\n", count - 20);
    }
}

static void banner(const cevm_node_command *command, cevm_node *node, const cevm_world *world)
{
    char balance[80];
    cevm_u256_to_decimal(balance, &command->node.balance);
    size_t digits = strlen(balance);
    balance[digits > 18 ? digits - 18 : 0] = '\0';
    (void)printf("cevm %s, a development node\n\n", cevm_version());
    if (cevm_node_account_count(node) != 0) {
        (void)printf("Accounts, %s ETH each\n", balance);
        accounts(node, false);
        (void)printf("\nTheir private keys (%s)\n",
                     command->node.mnemonic == NULL ? "known to everybody: never for real money" : "of --mnemonic");
        accounts(node, true);
        (void)printf("\n");
    }
    (void)printf("Chain id %" PRIu64 ", fork %s, block %" PRIu64 ", gas limit %" PRIu64 "\n",
                 world->settings.config.chain_id, cevm_fork_name(world->head->fork), world->head->block.header.number,
                 world->settings.gas_limit);
    if (command->node.fork_url != NULL) {
        (void)printf("On the state of a remote chain, block %" PRIu64 "\n", world->first);
    }
    if (command->node.data_dir != NULL) {
        (void)printf("Kept in %s\n", command->node.data_dir);
    }
    if (!world->settings.automine && world->settings.interval_ms == 0) {
        (void)printf("Blocks are made by evm_mine only\n");
    } else if (world->settings.interval_ms != 0) {
        (void)printf("A block each %g s%s\n", (double)world->settings.interval_ms / 1000,
                     world->settings.automine ? ", and for each transaction" : "");
    }
}

void cevm_node_show_banner(const cevm_node_command *command, cevm_node *node, const cevm_server *server,
                           const cevm_term *term)
{
    cevm_world *world = cevm_node_world(node);
    if (command->json) {
        banner_json(node, server, world);
    } else {
        if (!command->quiet) {
            banner(command, node, world);
        }
        (void)printf("%sListening on http://%s:%u%s%s%s\n", term->colour ? "\x1b[1m" : "", cevm_server_address(server),
                     (unsigned)cevm_server_port(server), command->server.ipc != NULL ? " and " : "",
                     command->server.ipc != NULL ? command->server.ipc : "", term->colour ? "\x1b[0m" : "");
    }
    cevm_world_release(world);
    (void)fflush(stdout);
}

/* ---- Methods ------------------------------------------------------------------------------------------------------------ */

void cevm_node_show_methods(FILE *to)
{
    size_t count;
    const cevm_rpc_row *rows = cevm_rpc_rows(&count);
    for (size_t i = 0; i < count; ++i) {
        (void)fprintf(to, "%s(%s) -> %s\n    %s\n", rows[i].name, rows[i].params, rows[i].result, rows[i].summary);
    }
    (void)fprintf(to, "\n%zu methods\n", count);
}

/* ---- Help --------------------------------------------------------------------------------------------------------------- */

static void help_chain(FILE *to)
{
    (void)fputs("Accounts\n"
                "  -a, --accounts N          how many have funds (default 10)\n"
                "  --balance ETH             of each (default 10000)\n"
                "  -m, --mnemonic WORDS      (default \"test test test ... junk\": the usual ones)\n"
                "  --derivation-path PATH    (default m/44'/60'/0'/0/)\n"
                "  --auto-impersonate        send from any address without its key\n"
                "\n"
                "Chain\n"
                "  --chain-id N              (default 31337)\n"
                "  --hardfork NAME           rules: Cancun, Osaka, bpo1 ... (default: the newest)\n"
                "  --genesis FILE, --init    geth's genesis.json instead of the built-in one\n"
                "  --import FILE             blocks to import at the start, RLP one after another\n"
                "  --timestamp SECONDS       of the first block (default: now)\n"
                "  --gas-limit N             of a block (default 30000000)\n"
                "  --block-base-fee-per-gas WEI, --gas-price WEI\n"
                "  --code-size-limit BYTES, --disable-code-size-limit\n"
                "  --history N               forget all but the newest N blocks, 257 or more\n"
                "                            (default: forget none)\n"
                "  --data-dir FOLDER         keep the chain on disk, through restarts and crashes\n"
                "                            (another chain id, genesis or fork than it has is\n"
                "                            an error)\n"
                "  --no-sync                 with it: do not wait for the disk; faster, but a\n"
                "                            power cut can destroy it\n"
                "  --state FILE              load it if it is there, write it at the end; or\n"
                "                            --load-state FILE, --dump-state FILE (anvil's form,\n"
                "                            plain or gzip)\n"
                "\n"
                "Mining (default: each transaction at once in a block of its own)\n"
                "  -b, --block-time SECONDS  a block at this interval; with --mixed-mining also\n"
                "                            one for each transaction\n"
                "  --no-mining               only when evm_mine is called\n"
                "  --order fees|fifo         of transactions in a block\n",
                to);
}

static void help_server(FILE *to)
{
    (void)fputs("\n"
                "Fork of a remote chain\n"
                "  -f, --fork-url URL        read what is not here from there; URL@N: as\n"
                "                            of block N\n"
                "  --fork-block-number N     as of this block (default: the newest)\n"
                "  --fork-cache FILE         keep what was read (default: in the --data-dir)\n"
                "  --offline                 ask nobody: the cache has it all\n"
                "\n"
                "Server\n"
                "  -p, --port N              HTTP and WebSocket (default 8545; 0: a free one)\n"
                "  --host ADDRESS            (default 127.0.0.1)\n"
                "  --ipc PATH                also a Unix socket, open to this user alone\n"
                "  --cors-origins LIST       web pages that may ask: origins, or '*' (default:\n"
                "                            those of this machine); --no-cors: none\n"
                "  --host-allow LIST         names this node may be called by, or '*' (default:\n"
                "                            localhost and addresses), so that no web page can\n"
                "                            reach it by rebinding a name\n"
                "  --max-connections N       (default 2000)\n"
                "  --max-request-mib N       (default 32), --max-batch N (1000)\n"
                "  --timeout MS              of eth_call and the like (default 5000)\n"
                "  --call-gas-limit N        of eth_call (default 50000000)\n"
                "\n"
                "What to show\n"
                "  --artifacts FOLDER        ABIs of Hardhat or Foundry: names of functions and\n"
                "                            errors in the log\n"
                "  --json                    the log as lines of JSON\n"
                "  -q, --quiet, --silent     no banner and no log\n"
                "  --methods                 list the methods and end\n"
                "\n"
                "anvil's options for its caches and for how often it asks a remote (--retries,\n"
                "--no-rate-limit, --compute-units-per-second, --no-storage-caching, --threads\n"
                "...) are taken and do nothing: neither needs setting here.\n"
                "SIGINT, SIGTERM and a closed terminal (SIGHUP) end it when it has answered what\n"
                "it is working on.\n",
                to);
}

void cevm_help_node(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s node [OPTION]...\n\n"
                  "A chain of your own that answers JSON-RPC, for developing contracts: funded\n"
                  "accounts, a block for each transaction, snapshots, time travel, traces. Options\n"
                  "have anvil's names.\n\n",
                  cli->program);
    help_chain(to);
    help_server(to);
    (void)fprintf(to,
                  "\nExamples\n"
                  "  %s node\n"
                  "  %s node --port 0 --accounts 3 --chain-id 1 --hardfork Cancun --quiet\n"
                  "  %s node --data-dir chain --block-time 2 --mixed-mining\n"
                  "  curl -d '{\"id\":1,\"method\":\"eth_blockNumber\"}' http://127.0.0.1:8545\n",
                  cli->program, cli->program, cli->program);
}
