/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `cevm node`: anvil's names where they mean the same. */
#include "cli/node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evm/u256.h"
#include <cevm/hex.h>

#include "cli/options.h"

enum { MAX_OPTIONS = 96 }; /* more than there are */

/* What is read as text or wider than it is kept. */
typedef struct raw {
    uint64_t port, accounts, balance, max_connections, call_gas, timeout, max_request;
    uint64_t batch;
    const char *block_time, *hardfork, *timestamp, *fork_block, *chain_id, *gas_limit, *base_fee, *gas_price, *order,
        *genesis;
    const char *idle_text;
    bool no_cors, unlimited_code, idle;
} raw;

static bool wrong(const cevm_node_command *c, const char *option, const char *wanted, const char *value)
{
    (void)fprintf(stderr, "%s: --%s wants %s, not \"%s\"\n", c->name, option, wanted, value);
    return false;
}

static bool read_amount(cevm_u256 *out, const cevm_node_command *c, const char *option, const char *text)
{
    return text == NULL || cevm_u256_from_text(out, text) || wrong(c, option, "an amount of wei", text);
}

/* Seconds, also parts of them. */
static bool read_block_time(cevm_node_command *c, const char *text)
{
    char *end = NULL;
    if (text == NULL) {
        return true;
    }
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0.001 && seconds <= 1e9)) {
        return wrong(c, "block-time", "seconds (0.001 to 1000000000)", text);
    }
    c->node.block_time_ms = (uint64_t)llround(seconds * 1000);
    return true;
}

static bool no_fork(const cevm_node_command *c, const char *text)
{
    const char *names[CEVM_FORK_COUNT];
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        names[fork] = cevm_fork_name((cevm_fork)fork);
    }
    const char *near = cevm_nearest_name(text, names, sizeof names[0], CEVM_FORK_COUNT);
    (void)wrong(c, "hardfork", "a fork (cevm version lists them)", text);
    if (near != NULL) {
        (void)fprintf(stderr, "(did you mean %s?)\n", near);
    }
    return false;
}

/* Names of forks as anvil and others write them beside ours. */
static bool read_fork(cevm_node_command *c, const char *text)
{
    static const struct {
        const char *alias, *name;
    } aliases[] = {{"latest", NULL},           {"merge", "Paris"},
                   {"paris", "Paris"},         {"muirGlacier", "Istanbul"},
                   {"arrowGlacier", "London"}, {"grayGlacier", "London"}};
    c->node.fork = CEVM_LATEST;
    if (text == NULL) {
        return true;
    }
    if (strncasecmp(text, "bpo", 3) == 0 && text[3] >= '1' && text[3] < '1' + CEVM_NODE_BLOB_FORKS && text[4] == '\0') {
        c->node.has_blob_forks = true;
        c->node.blob_forks = (unsigned)(text[3] - '0');
        return true;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; ++i) {
        if (strcasecmp(text, aliases[i].alias) == 0) {
            return aliases[i].name == NULL || cevm_fork_by_name(&c->node.fork, aliases[i].name);
        }
    }
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        if (strcasecmp(text, cevm_fork_name((cevm_fork)fork)) == 0) {
            c->node.fork = (cevm_fork)fork;
            c->node.has_blob_forks = true; /* none: what the fork itself says */
            return true;
        }
    }
    return cevm_fork_by_name(&c->node.fork, text) || no_fork(c, text);
}

static bool read_order(cevm_node_command *c, const char *text)
{
    if (text == NULL || strcmp(text, "fees") == 0) {
        c->node.order = CEVM_ORDER_FEES;
        return true;
    }
    c->node.order = CEVM_ORDER_FIFO;
    return strcmp(text, "fifo") == 0 || wrong(c, "order", "fees or fifo", text);
}

static bool in_range(const cevm_node_command *c, const char *option, uint64_t value, uint64_t least, uint64_t most)
{
    if (value >= least && value <= most) {
        return true;
    }
    (void)fprintf(stderr, "%s: --%s wants a number from %llu to %llu\n", c->name, option, (unsigned long long)least,
                  (unsigned long long)most);
    return false;
}

/** A number that may be missing (text NULL), with every value below 2^64 one that could be meant. */
static bool read_optional(uint64_t *out, const cevm_node_command *c, const char *option, const char *text,
                          uint64_t least, uint64_t most)
{
    cevm_u256 value = {{0}};
    if (text == NULL) {
        return true;
    }
    if (!cevm_u256_from_text(&value, text) || !cevm_u256_fits_u64(&value)) {
        return wrong(c, option, "a number (decimal or 0x…) below 2^64", text);
    }
    *out = value.w[0];
    return in_range(c, option, *out, least, most);
}

static bool read_ranges(cevm_node_command *c, const raw *r)
{
    bool ok = in_range(c, "port", r->port, 0, UINT16_MAX) && in_range(c, "accounts", r->accounts, 0, 100000) &&
              in_range(c, "max-connections", r->max_connections, 1, 100000) &&
              in_range(c, "max-request-mib", r->max_request, 1, 1024) && in_range(c, "max-batch", r->batch, 1, 1000000);
    c->server.port = (uint16_t)r->port;
    c->node.accounts = (size_t)r->accounts;
    c->server.max_connections = (unsigned)r->max_connections;
    c->server.limits.body = (size_t)r->max_request << 20;
    c->server.limits.batch = (size_t)r->batch;
    return ok;
}

static bool clash(const cevm_node_command *c, bool clashes, const char *text)
{
    if (clashes) {
        (void)fprintf(stderr, "%s: %s\n", c->name, text);
    }
    return clashes;
}

/* An option that would do nothing, because another is missing or wins, is a mistake, not a wish. */
static bool fit_together(const cevm_node_command *c, const raw *r)
{
    const cevm_node_options *n = &c->node;
    const bool has_chain = n->data_dir != NULL; /* it may hold a fork to go on with */
    const bool is_fork = n->fork_url != NULL || n->offline || has_chain;
    return !clash(c, n->mixed_mining && r->block_time == NULL, "--mixed-mining wants --block-time too") &&
           !clash(c, n->no_mining && r->block_time != NULL, "--no-mining and --block-time do not go together") &&
           !clash(c, n->no_sync && !has_chain, "--no-sync wants --data-dir too") &&
           !clash(c, r->fork_block != NULL && !is_fork, "--fork-block-number wants --fork-url too") &&
           !clash(c, n->fork_cache != NULL && !is_fork, "--fork-cache wants --fork-url too (or --offline)") &&
           !clash(c, n->offline && n->fork_cache == NULL && !has_chain,
                  "--offline wants --fork-cache FILE, recorded by a run without it");
}

/* An origin that is none would never match, and nobody would say why. */
static bool has_origins(const cevm_node_command *c)
{
    for (const char *item = c->server.origins; item != NULL && *item != '\0';) {
        item += strspn(item, ", ");
        const size_t size = strcspn(item, ", ");
        if (size != 0 && !(size == 1 && *item == '*') && memmem(item, size, "://", 3) == NULL &&
            !(size == 4 && memcmp(item, "null", 4) == 0)) {
            return wrong(c, "cors-origins", "origins such as http://localhost:3000, or '*'", c->server.origins);
        }
        item += size;
    }
    return true;
}

/* "http://node:8545@17000000", as anvil has it: the block behind the URL. */
static bool split_fork_url(cevm_node_command *c, raw *r)
{
    const char *at = c->node.fork_url != NULL ? strrchr(c->node.fork_url, '@') : NULL;
    if (at == NULL || at[1] == '\0' || at[1 + strspn(at + 1, "0123456789")] != '\0') {
        return true; /* none, or a password */
    }
    if (clash(c, r->fork_block != NULL, "the block is given twice, behind the URL and with --fork-block-number")) {
        return false;
    }
    r->fork_block = at + 1;
    c->node.has_fork_block = true;
    (void)snprintf(c->fork_url, sizeof c->fork_url, "%.*s", (int)(at - c->node.fork_url), c->node.fork_url);
    c->node.fork_url = c->fork_url;
    return true;
}

static bool interpret(cevm_node_command *c, raw *r)
{
    const cevm_u256 ether = cevm_u256_from_u64(1000000000000000000u);
    const cevm_u256 balance = cevm_u256_from_u64(r->balance);
    (void)cevm_u256_mul_overflow(&c->node.balance, &balance, &ether); /* 2^64 ether fit */
    c->node.genesis_path = r->genesis;
    c->node.has_timestamp = r->timestamp != NULL;
    c->node.has_fork_block = r->fork_block != NULL;
    c->node.has_base_fee = r->base_fee != NULL;
    c->node.call_gas_limit = r->call_gas;
    c->node.call_timeout_ms = r->timeout;
    c->server.limits.timeout_ms = r->timeout;
    if (r->unlimited_code) {
        c->node.code_size_limit = SIZE_MAX;
    }
    if (r->no_cors) {
        c->server.origins = "";
    }
    if (c->node.history != 0 && c->node.history < CEVM_NODE_MIN_HISTORY) {
        (void)fprintf(stderr, "%s: --history wants %d blocks or more\n", c->name, (int)CEVM_NODE_MIN_HISTORY);
        return false;
    }
    return fit_together(c, r) && has_origins(c) && split_fork_url(c, r) && read_ranges(c, r) &&
           read_optional(&c->node.timestamp, c, "timestamp", r->timestamp, 0, CEVM_NODE_LAST_TIME) &&
           read_optional(&c->node.fork_block, c, "fork-block-number", r->fork_block, 0, UINT64_MAX) &&
           read_optional(&c->node.chain_id, c, "chain-id", r->chain_id, 1, UINT64_MAX) &&
           read_optional(&c->node.gas_limit, c, "gas-limit", r->gas_limit, 1, INT64_MAX) &&
           read_block_time(c, r->block_time) && read_fork(c, r->hardfork) && read_order(c, r->order) &&
           read_amount(&c->node.base_fee, c, "block-base-fee-per-gas", r->base_fee) &&
           read_amount(&c->node.gas_price, c, "gas-price", r->gas_price);
}

/* Rows into the table of options; how many. */
static size_t chain_options(cevm_option *to, cevm_node_command *c, raw *r)
{
    cevm_node_options *n = &c->node;
    const cevm_option rows[] = {
        {"accounts", CEVM_OPTION_NUMBER, &r->accounts},
        {"a", CEVM_OPTION_NUMBER, &r->accounts},
        {"balance", CEVM_OPTION_NUMBER, &r->balance},
        {"mnemonic", CEVM_OPTION_TEXT, &n->mnemonic},
        {"m", CEVM_OPTION_TEXT, &n->mnemonic},
        {"derivation-path", CEVM_OPTION_TEXT, &n->derivation},
        {"auto-impersonate", CEVM_OPTION_SWITCH, &n->auto_impersonate},
        {"chain-id", CEVM_OPTION_TEXT, &r->chain_id},
        {"hardfork", CEVM_OPTION_TEXT, &r->hardfork},
        {"genesis", CEVM_OPTION_TEXT, &r->genesis},
        {"init", CEVM_OPTION_TEXT, &r->genesis},
        {"import", CEVM_OPTION_TEXT, &n->import_path},
        {"timestamp", CEVM_OPTION_TEXT, &r->timestamp},
        {"gas-limit", CEVM_OPTION_TEXT, &r->gas_limit},
        {"block-base-fee-per-gas", CEVM_OPTION_TEXT, &r->base_fee},
        {"base-fee", CEVM_OPTION_TEXT, &r->base_fee},
        {"gas-price", CEVM_OPTION_TEXT, &r->gas_price},
        {"code-size-limit", CEVM_OPTION_NUMBER, &n->code_size_limit},
        {"disable-code-size-limit", CEVM_OPTION_SWITCH, &r->unlimited_code},
        {"call-gas-limit", CEVM_OPTION_NUMBER, &r->call_gas},
        {"block-time", CEVM_OPTION_TEXT, &r->block_time},
        {"b", CEVM_OPTION_TEXT, &r->block_time},
        {"history", CEVM_OPTION_NUMBER, &n->history},
        {"no-mining", CEVM_OPTION_SWITCH, &n->no_mining},
        {"no-mine", CEVM_OPTION_SWITCH, &n->no_mining},
        {"mixed-mining", CEVM_OPTION_SWITCH, &n->mixed_mining},
        {"order", CEVM_OPTION_TEXT, &r->order},
        {"data-dir", CEVM_OPTION_TEXT, &n->data_dir},
        {"no-sync", CEVM_OPTION_SWITCH, &n->no_sync},
        {"state", CEVM_OPTION_TEXT, &c->state},
        {"load-state", CEVM_OPTION_TEXT, &c->load_state},
        {"dump-state", CEVM_OPTION_TEXT, &c->dump_state},
        {"fork-url", CEVM_OPTION_TEXT, &n->fork_url},
        {"rpc-url", CEVM_OPTION_TEXT, &n->fork_url},
        {"f", CEVM_OPTION_TEXT, &n->fork_url},
        {"fork-block-number", CEVM_OPTION_TEXT, &r->fork_block},
        {"fork-cache", CEVM_OPTION_TEXT, &n->fork_cache},
        {"offline", CEVM_OPTION_SWITCH, &n->offline},
    };
    memcpy(to, rows, sizeof rows);
    return sizeof rows / sizeof rows[0];
}

/*
 * anvil's options that set how it asks a remote node and what it keeps in memory. Neither is a question here: requests are
 * batched and repeated as the remote wants, and blocks share what they have in common. They are taken so that a script
 * written for anvil runs; what changes an answer is never taken and forgotten.
 */
static size_t idle_options(cevm_option *to, raw *r)
{
    static const struct {
        const char *name;
        bool is_switch;
    } names[] = {{"steps-tracing", true}, /* traces have all steps */
                 {"no-rate-limit", true},
                 {"no-rpc-rate-limit", true},
                 {"no-storage-caching", true},
                 {"preserve-historical-states", true},
                 {"compute-units-per-second", false},
                 {"cups", false},
                 {"retries", false},
                 {"fork-retry-backoff", false},
                 {"threads", false},
                 {"memory-limit", false},
                 {"max-persisted-states", false},
                 {"cache-path", false}};
    enum { COUNT = sizeof names / sizeof names[0] };
    for (size_t i = 0; i < COUNT; ++i) {
        to[i] = (cevm_option){names[i].name, names[i].is_switch ? CEVM_OPTION_SWITCH : CEVM_OPTION_TEXT,
                              names[i].is_switch ? (void *)&r->idle : (void *)&r->idle_text};
    }
    return COUNT;
}

static size_t server_options(cevm_option *to, cevm_node_command *c, raw *r)
{
    cevm_server_options *s = &c->server;
    const cevm_option rows[] = {
        {"port", CEVM_OPTION_NUMBER, &r->port},
        {"p", CEVM_OPTION_NUMBER, &r->port},
        {"host", CEVM_OPTION_TEXT, &s->host},
        {"ipc", CEVM_OPTION_TEXT, &s->ipc},
        {"cors-origins", CEVM_OPTION_TEXT, &s->origins},
        {"allow-origin", CEVM_OPTION_TEXT, &s->origins},
        {"no-cors", CEVM_OPTION_SWITCH, &r->no_cors},
        {"host-allow", CEVM_OPTION_TEXT, &s->hosts},
        {"max-connections", CEVM_OPTION_NUMBER, &r->max_connections},
        {"max-request-mib", CEVM_OPTION_NUMBER, &r->max_request},
        {"max-batch", CEVM_OPTION_NUMBER, &r->batch},
        {"timeout", CEVM_OPTION_NUMBER, &r->timeout},
        {"artifacts", CEVM_OPTION_TEXT, &c->artifacts},
        {"quiet", CEVM_OPTION_SWITCH, &c->quiet},
        {"silent", CEVM_OPTION_SWITCH, &c->quiet},
        {"q", CEVM_OPTION_SWITCH, &c->quiet},
        {"json", CEVM_OPTION_SWITCH, &c->json},
        {"methods", CEVM_OPTION_SWITCH, &c->lists_methods},
    };
    memcpy(to, rows, sizeof rows);
    return sizeof rows / sizeof rows[0];
}

bool cevm_node_command_parse(cevm_node_command *out, const cevm_cli *cli, int argc, char **argv)
{
    raw r = {.port = 8545,
             .accounts = 10,
             .balance = 10000,
             .max_connections = 2000,
             .timeout = 5000,
             .max_request = 32,
             .batch = 1000};
    *out = (cevm_node_command){0};
    (void)snprintf(out->name, sizeof out->name, "%.20s %.20s", cli->program, argv[0]);
    cevm_option table[MAX_OPTIONS] = {{NULL, CEVM_OPTION_SWITCH, NULL}};
    size_t count = chain_options(table, out, &r);
    count += server_options(table + count, out, &r);
    (void)idle_options(table + count, &r);
    cevm_arguments arguments;
    if (!cevm_options_parse(&arguments, table, out->name, argc, argv)) {
        return false;
    }
    out->help = arguments.help;
    if (arguments.count != 0) {
        (void)fprintf(stderr, "%s: \"%s\" is no option\n(%s --help lists the options)\n", out->name, arguments.items[0],
                      out->name);
        return false;
    }
    return interpret(out, &r);
}
