/* SPDX-License-Identifier: Apache-2.0 */
/* cevm import: blocks from files onto a chain, in memory or in a store on disk. */
#include <cevm/hex.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/import.h"
#include "cli/options.h"

/* What a shell makes of a program that Ctrl-C ended. */
enum { EXIT_INTERRUPTED = 130 };

/* Encodings of the last blocks, for the state file: more than it takes, in case the last ones were on two branches. */
enum { LAST_BLOCKS = 2 * CEVM_IMPORT_RECENT };

typedef struct session {
    const cevm_import_options *options;
    cevm_memdb *db;   /* the accounts of the genesis; NULL once they are not needed */
    cevm_lmdb *store; /* --data-dir */
    cevm_genesis *genesis;
    cevm_chain *chain;
    bool resumed;
    cevm_import_point start; /* where it was resumed */
    cevm_import_block last[LAST_BLOCKS];
    size_t last_count; /* ever; the newest is at (last_count - 1) % LAST_BLOCKS */
    cevm_import_progress progress;
    cevm_import_stop stop;
    cevm_term term;
    bool failed;
    bool is_done; /* --stop-at was reached */
} session;

void cevm_help_import(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s import --genesis FILE [OPTION]... FILE...\n"
                  "\n"
                  "Imports blocks (RLP, one after the other, as nodes export them) onto a chain, in\n"
                  "memory unless --data-dir is given: every block is checked and executed. Stops at\n"
                  "the first block that is refused, and says which and why.\n"
                  "\n",
                  cli->program);
    (void)fputs("  --genesis FILE   the first block and the forks: genesis.json as geth reads it\n"
                "  --config NAME    the rules of mainnet, sepolia, hoodi or dev, not the file's\n"
                "  --state FILE     go on from FILE, if it is there, and write it at the end:\n"
                "                   head and accounts\n"
                "  --data-dir DIR   keep the chain in DIR, one block one transaction, and go on\n"
                "                   from where it stands\n"
                "  --no-sync        with --data-dir: do not wait for the disk; a power cut can\n"
                "                   then destroy DIR\n"
                "  --stop-at N      stop when block N has been imported\n"
                "  --check-seal     verify proof of work (Ethash) before the merge\n"
                "  --keep-going     pass over blocks that are refused; the exit code still tells\n"
                "  --json           the summary as one line of JSON\n"
                "\n"
                "A FILE of blocks may be larger than memory; - is standard input. Ctrl-C stops\n"
                "between two blocks. The exit code is 0 when every block was imported or there\n"
                "already, 1 when one was refused or a file could not be read, 130 after Ctrl-C.\n",
                to);
    (void)fprintf(to,
                  "\n"
                  "Examples\n"
                  "  %s import --genesis genesis.json chain.rlp\n"
                  "  %s import --genesis genesis.json --state chain.state part1.rlp part2.rlp\n"
                  "  %s import --genesis genesis.json --data-dir chain/ chain.rlp\n"
                  "  zcat chain.rlp.gz | %s import --genesis genesis.json --json -\n",
                  cli->program, cli->program, cli->program, cli->program);
}

/* ---- Signals ----------------------------------------------------------------------------------------------------- */

static void watched_signals(sigset_t *out)
{
    (void)sigemptyset(out);
    (void)sigaddset(out, SIGINT);
    (void)sigaddset(out, SIGTERM);
}

/* From here on Ctrl-C waits until it is asked for. */
static void hold_signals(void)
{
    sigset_t set;
    watched_signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Whether Ctrl-C was pressed. If so it works as usual again, for a second one while the state is written. */
static bool was_interrupted(void)
{
    static const struct timespec no_time = {0, 0};
    sigset_t set;
    watched_signals(&set);
    if (sigtimedwait(&set, NULL, &no_time) < 0) {
        return false;
    }
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    return true;
}

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

static bool say(const session *s, const char *what, cevm_err err)
{
    (void)fprintf(stderr, "%s: %s: %s\n", s->options->command, what, cevm_err_string(err));
    return false;
}

static bool load_genesis(session *s)
{
    cevm_genesis_error error;
    cevm_chain_config preset;
    const cevm_err err = cevm_genesis_load(&s->genesis, &error, s->db, s->options->genesis, NULL);
    if (err != CEVM_OK) {
        (void)fprintf(stderr, "%s: %s\n", s->options->command, error.text);
        if (err == CEVM_ERR_IO && cevm_chain_preset(&preset, s->options->genesis)) {
            (void)fprintf(stderr,
                          "(the rules of %s are known, its first accounts are not: give its genesis.json, as\n"
                          "`geth --%s dumpgenesis` prints it)\n",
                          s->options->genesis, s->options->genesis);
        }
        return false;
    }
    if (s->options->config != NULL && !cevm_chain_preset(&s->genesis->config, s->options->config)) {
        (void)fprintf(stderr, "%s: --config: no chain is called \"%s\"; known are mainnet, sepolia, hoodi, dev\n",
                      s->options->command, s->options->config);
        return false;
    }
    s->genesis->config.checks_seal = s->options->checks_seal;
    return true;
}

/* What the run goes on from, for messages. */
static const char *origin(const session *s)
{
    return s->options->data_dir != NULL ? s->options->data_dir : s->options->state;
}

/* Whether the chain that was loaded begins with the genesis. */
static bool check_genesis(session *s)
{
    s->resumed = true;
    if (!cevm_hash_equal(&s->start.genesis, &s->genesis->hash)) {
        (void)fprintf(stderr, "%s: %s: is the state of a chain with another genesis than %s\n", s->options->command,
                      origin(s), s->options->genesis);
        return false;
    }
    return true;
}

/* Opens the store on disk; a new one begins with the genesis. */
static bool open_store(session *s)
{
    bool found = false;
    if (!cevm_import_store_open(&s->store, s->options) ||
        !cevm_import_store_load(&s->start, &found, s->store, s->options)) {
        return false;
    }
    if (found ? !check_genesis(s) : !cevm_import_store_fill(s->store, s->db, s->genesis, s->options)) {
        return false;
    }
    cevm_memdb_destroy(s->db);
    s->db = NULL;
    return true;
}

/* Puts the accounts of the state file in the place of the genesis'. */
static bool load_state(session *s)
{
    cevm_memdb_destroy(s->db);
    s->db = NULL;
    const cevm_err err = cevm_memdb_create(&s->db, NULL);
    if (err != CEVM_OK) {
        return say(s, s->options->state, err);
    }
    if (!cevm_import_state_load(&s->start, s->db, s->options->command, s->options->state)) {
        return false;
    }
    return check_genesis(s);
}

static bool open_chain(session *s)
{
    cevm_bytes recent[CEVM_IMPORT_HISTORY + CEVM_IMPORT_RECENT];
    cevm_chain_options o = {.struct_size = sizeof o,
                            .config = s->genesis->config,
                            .head = &s->genesis->header,
                            .db = s->store != NULL ? cevm_lmdb_interface(s->store) : cevm_memdb_interface(s->db),
                            .history = CEVM_IMPORT_HISTORY};
    for (size_t i = 0; i < s->start.recent_count; ++i) {
        recent[i] = (cevm_bytes){s->start.recent[i].data, s->start.recent[i].size};
    }
    if (s->resumed) {
        o.head = &s->start.head;
        o.total_difficulty = s->start.total_difficulty;
        o.head_is_merged = s->start.is_merged;
        o.ancestors = s->start.ancestors;
        o.ancestor_count = s->start.ancestor_count;
        o.recent_blocks = recent;
        o.recent_block_count = s->start.recent_count;
        o.undoable = s->start.undoable;
    }
    if (s->db != NULL) {
        cevm_memdb_set_history(s->db, CEVM_IMPORT_HISTORY);
    }
    const cevm_err err = cevm_chain_open(&s->chain, &o);
    if (err == CEVM_ERR_ARGUMENT || err == CEVM_ERR_ENCODING) {
        (void)fprintf(stderr, "%s: %s: the accounts are not those of its block; the file is damaged\n",
                      s->options->command, s->resumed ? origin(s) : s->options->genesis);
        return false;
    }
    return err == CEVM_OK || say(s, "the chain cannot be opened", err);
}

static bool open_session(session *s)
{
    const cevm_err err = cevm_memdb_create(&s->db, NULL);
    if (err != CEVM_OK) {
        return say(s, "the store cannot be made", err);
    }
    if (!load_genesis(s)) {
        return false;
    }
    if (s->options->data_dir != NULL && !open_store(s)) {
        return false;
    }
    if (s->options->state != NULL && access(s->options->state, F_OK) == 0 && !load_state(s)) {
        return false;
    }
    return open_chain(s);
}

static void close_session(session *s)
{
    cevm_chain_close(s->chain);
    cevm_genesis_destroy(s->genesis, NULL);
    cevm_memdb_destroy(s->db);
    cevm_lmdb_close(s->store);
    cevm_import_point_free(&s->start);
    for (size_t i = 0; i < LAST_BLOCKS; ++i) {
        free(s->last[i].data);
    }
}

/* ---- The state file ---------------------------------------------------------------------------------------------- */

/* Remembers a block's encoding. False when memory runs out. */
static bool remember(session *s, const cevm_hash *hash, cevm_bytes rlp)
{
    cevm_import_block *block = &s->last[s->last_count % LAST_BLOCKS];
    if (rlp.size > block->capacity) {
        uint8_t *data = realloc(block->data, rlp.size);
        if (data == NULL) {
            return false;
        }
        block->data = data;
        block->capacity = rlp.size;
    }
    memcpy(block->data, rlp.data, rlp.size);
    block->size = rlp.size;
    block->hash = *hash;
    s->last_count++;
    return true;
}

static const cevm_import_block *find_last(const session *s, const cevm_hash *hash)
{
    for (size_t i = 0; i < LAST_BLOCKS && i < s->last_count; ++i) {
        if (cevm_hash_equal(&s->last[i].hash, hash)) {
            return &s->last[i];
        }
    }
    for (size_t i = 0; i < s->start.recent_count; ++i) {
        if (cevm_hash_equal(&s->start.recent[i].hash, hash)) {
            return &s->start.recent[i];
        }
    }
    return NULL;
}

/* Hashes before the head: what the chain keeps, and before that what the run began with. */
static void fill_ancestors(const session *s, cevm_import_point *point, const cevm_chain_block *head)
{
    cevm_chain_block block = *head;
    bool found = true;
    while (found && block.header->number != 0 && point->ancestor_count < CEVM_IMPORT_HASHES) {
        point->ancestors[point->ancestor_count++] = block.header->parent_hash;
        found = cevm_chain_find(s->chain, &block, &block.header->parent_hash);
    }
    if (found || !s->resumed) {
        return;
    }
    /* The last hash is that of the block before `block`; what was loaded goes on from there. */
    const uint64_t next = block.header->number >= 2 ? block.header->number - 2 : UINT64_MAX;
    for (uint64_t n = next; n != UINT64_MAX && n < s->start.head.number; --n) {
        const uint64_t back = s->start.head.number - 1 - n;
        if (back >= s->start.ancestor_count || point->ancestor_count == CEVM_IMPORT_HASHES) {
            return;
        }
        point->ancestors[point->ancestor_count++] = s->start.ancestors[back];
    }
}

/* The encodings of head and the blocks before it, as far as they are at hand; they stay the session's. */
static void fill_recent(const session *s, cevm_import_point *point, const cevm_hash *head)
{
    const cevm_hash *hash = head;
    for (size_t i = 0; i < CEVM_IMPORT_RECENT && i <= point->ancestor_count; ++i) {
        const cevm_import_block *block = find_last(s, hash);
        if (block == NULL) {
            return;
        }
        point->recent[point->recent_count++] = *block;
        hash = &point->ancestors[i];
    }
}

static bool save_state(const session *s)
{
    cevm_chain_block head;
    cevm_import_point point = {.genesis = s->genesis->hash};
    cevm_chain_head(s->chain, &head);
    point.total_difficulty = head.total_difficulty;
    point.is_merged = head.is_merged;
    fill_ancestors(s, &point, &head);
    fill_recent(s, &point, &head.hash);
    (void)cevm_header_encode(NULL, &point.header_size, 0, head.header, NULL);
    point.header_rlp = malloc(point.header_size);
    cevm_err err = CEVM_ERR_NOMEM;
    if (point.header_rlp != NULL) {
        err = cevm_header_encode(point.header_rlp, &point.header_size, point.header_size, head.header, NULL);
    }
    const bool ok = err == CEVM_OK ? cevm_import_state_save(&point, s->db, s->options->command, s->options->state)
                                   : say(s, s->options->state, err);
    free(point.header_rlp);
    return ok;
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------ */

/* Where the run is, for messages. */
typedef struct place {
    const char *file;
    uint64_t offset;
} place;

/* Ends the run at a block. */
static void stop_at(session *s, const place *at, const cevm_import_result *result)
{
    s->stop = (cevm_import_stop){.happened = true, .file = at->file, .offset = at->offset};
    if (result != NULL) {
        s->stop.has_block = true;
        s->stop.number = result->number;
        s->stop.hash = result->hash;
        s->stop.verdict = result->verdict;
    }
}

/* Ends the run with a message: the block could not be imported for a reason that is not its own. */
static bool give_up(session *s, const place *at, const char *what)
{
    cevm_import_clear(&s->progress);
    (void)fprintf(stderr, "%s: %s: byte %" PRIu64 ": %s\n", s->options->command, at->file, at->offset, what);
    s->failed = true;
    stop_at(s, at, NULL);
    return false;
}

static void report_refused(session *s, const place *at, const cevm_import_result *r)
{
    char reason[256];
    char hash[65];
    cevm_import_reason(reason, sizeof reason, &r->verdict);
    cevm_hex_encode(hash, r->hash.bytes, sizeof r->hash.bytes);
    cevm_import_clear(&s->progress);
    (void)fprintf(stderr, "%s: %s: byte %" PRIu64 ": ", s->options->command, at->file, at->offset);
    if (r->number != 0) {
        (void)fprintf(stderr, "block %" PRIu64 " 0x%s: ", r->number, hash);
    }
    (void)fprintf(stderr, "%s\n", reason);
}

/*
 * Whether a block lies at or before the one the run goes on from. A stranger there ends the run, unless the store can take
 * blocks back so far: then it is one of another branch.
 */
static bool is_behind(session *s, const place *at, const cevm_block *block)
{
    cevm_chain_block known;
    const uint64_t number = block->header.number;
    if (!s->resumed || number > s->start.head.number || cevm_chain_find(s->chain, &known, &block->hash)) {
        return false;
    }
    const uint64_t back = s->start.head.number - number; /* 1: the parent of the head */
    if (back > s->start.ancestor_count || (back != 0 && cevm_hash_equal(&s->start.ancestors[back - 1], &block->hash))) {
        return true;
    }
    if (back < s->start.undoable) {
        return false;
    }
    char text[512];
    (void)snprintf(text, sizeof text, "block %" PRIu64 " is not on the branch %.300s was written for", number,
                   origin(s));
    (void)give_up(s, at, text);
    return true;
}

/* What an import gave, into the counters. False when the run ends here. */
static bool count(session *s, const place *at, const cevm_import_result *r, cevm_bytes rlp)
{
    cevm_import_progress *p = &s->progress;
    if (r->verdict.error != CEVM_BLOCK_NONE) {
        p->refused++;
        s->failed = true;
        report_refused(s, at, r);
        if (!s->options->keep_going) {
            stop_at(s, at, r);
        }
        return s->options->keep_going;
    }
    if (r->is_known) {
        p->known++;
        return true;
    }
    p->blocks++;
    p->transactions += r->tx_count;
    p->gas += r->gas_used;
    p->reorganisations += r->reorg_depth != 0 ? 1 : 0;
    if (s->options->state != NULL && !remember(s, &r->hash, rlp)) {
        return give_up(s, at, cevm_err_string(CEVM_ERR_NOMEM));
    }
    return !s->options->has_last || !r->is_head || r->number < s->options->last;
}

/* One block. False when the run ends here. */
static bool import_one(session *s, const place *at, const cevm_import_item *item)
{
    cevm_import_result result = {.verdict = item->verdict};
    cevm_err err = item->err;
    if (err == CEVM_OK) {
        if (is_behind(s, at, item->block)) {
            s->progress.known += s->stop.happened ? 0 : 1;
            return !s->stop.happened;
        }
        err = cevm_chain_import_block(s->chain, &result, item->block, item->rlp, NULL);
    }
    if (err != CEVM_OK && err != CEVM_ERR_ENCODING) {
        char text[800];
        const char *why = err == CEVM_ERR_BACKEND && s->store != NULL ? cevm_lmdb_error_text(s->store) : "";
        (void)snprintf(text, sizeof text, "block %" PRIu64 ": %s%s%s", result.number, cevm_err_string(err),
                       why[0] != '\0' ? ": " : "", why);
        return give_up(s, at, text);
    }
    return count(s, at, &result, item->rlp);
}

/* What was read last. False when the file or the run ends here. */
static bool take_item(session *s, const char *file, uint64_t bytes_before, const cevm_import_item *item)
{
    cevm_chain_block head;
    const place at = {file, item->offset};
    if (item->read == CEVM_READ_END) {
        return false;
    }
    if (item->read == CEVM_READ_FAILED) {
        return give_up(s, &at, item->message);
    }
    if (was_interrupted()) {
        stop_at(s, &at, NULL);
        s->stop.interrupted = true;
        return false;
    }
    const bool go_on = import_one(s, &at, item);
    s->progress.bytes = bytes_before + item->end;
    s->is_done = !go_on;
    cevm_chain_head(s->chain, &head);
    cevm_import_show(&s->progress, &s->term, head.header->number);
    return go_on;
}

/* One file. False when the run ends here. */
static bool import_file(session *s, const char *path)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    cevm_import_ahead *ahead = NULL;
    if (!cevm_import_ahead_start(&ahead, s->options->command, path, &s->genesis->config)) {
        s->failed = true;
        s->stop = (cevm_import_stop){.happened = true, .file = name};
        return false;
    }
    const uint64_t before = s->progress.bytes;
    uint64_t offset = 0; /* where the next block begins */
    for (bool go_on = true; go_on;) {
        const cevm_import_item *item = cevm_import_ahead_next(ahead);
        if (item != NULL) {
            offset = item->end;
            go_on = take_item(s, name, before, item);
            cevm_import_ahead_done(ahead);
        } else if (was_interrupted()) { /* nothing has come for a while */
            stop_at(s, &(place){name, offset}, NULL);
            s->stop.interrupted = true;
            go_on = false;
        }
    }
    cevm_import_ahead_stop(ahead);
    return !s->stop.happened && !s->is_done;
}

/* ---- The run ----------------------------------------------------------------------------------------------------- */

/* Bytes of all files together; 0 when that cannot be told. */
static uint64_t total_size(const cevm_arguments *files)
{
    uint64_t total = 0;
    for (size_t i = 0; i < files->count; ++i) {
        FILE *f = strcmp(files->items[i], "-") == 0 ? NULL : fopen(files->items[i], "rb");
        const bool ok = f != NULL && fseeko(f, 0, SEEK_END) == 0;
        const off_t end = ok ? ftello(f) : -1;
        if (f != NULL) {
            (void)fclose(f);
        }
        if (end < 0) {
            return 0;
        }
        total += (uint64_t)end;
    }
    return total;
}

static int run(session *s, const cevm_arguments *files)
{
    cevm_chain_block head;
    if (!open_session(s)) {
        return CEVM_EXIT_FAILURE;
    }
    s->term = cevm_term_of(stderr);
    s->progress.total_bytes = s->term.is_terminal ? total_size(files) : 0;
    s->progress.start = cevm_import_now();
    s->progress.shown = s->progress.start;
    hold_signals();
    for (size_t i = 0; i < files->count && import_file(s, files->items[i]); ++i) {
    }
    cevm_import_clear(&s->progress);
    cevm_chain_head(s->chain, &head);
    cevm_import_summary(&s->progress, &s->stop, &head, s->options->json);
    if (s->stop.interrupted) {
        (void)fprintf(stderr, "%s: %s: stopped before byte %" PRIu64 "\n", s->options->command, s->stop.file,
                      s->stop.offset);
    }
    if (s->options->state != NULL && (s->progress.blocks != 0 || !s->resumed) && !save_state(s)) {
        return CEVM_EXIT_FAILURE;
    }
    if (s->failed) {
        return CEVM_EXIT_FAILURE;
    }
    return s->stop.interrupted ? EXIT_INTERRUPTED : CEVM_EXIT_OK;
}

int cevm_cmd_import(const cevm_cli *cli, int argc, char **argv)
{
    char command[64];
    cevm_import_options options = {.last = UINT64_MAX};
    cevm_arguments files;
    const cevm_option table[] = {
        {"genesis", CEVM_OPTION_TEXT, &options.genesis},
        {"config", CEVM_OPTION_TEXT, &options.config},
        {"state", CEVM_OPTION_TEXT, &options.state},
        {"data-dir", CEVM_OPTION_TEXT, &options.data_dir},
        {"no-sync", CEVM_OPTION_SWITCH, &options.no_sync},
        {"stop-at", CEVM_OPTION_NUMBER, &options.last},
        {"check-seal", CEVM_OPTION_SWITCH, &options.checks_seal},
        {"keep-going", CEVM_OPTION_SWITCH, &options.keep_going},
        {"json", CEVM_OPTION_SWITCH, &options.json},
        {NULL, CEVM_OPTION_SWITCH, NULL},
    };
    (void)snprintf(command, sizeof command, "%s import", cli->program);
    options.command = command;
    if (!cevm_options_parse(&files, table, command, argc, argv)) {
        return CEVM_EXIT_USAGE;
    }
    if (files.help) {
        cevm_help_import(stdout, cli);
        return CEVM_EXIT_OK;
    }
    options.has_last = options.last != UINT64_MAX;
    if (options.genesis == NULL || files.count == 0) {
        (void)fprintf(stderr, "%s: %s (%s --help)\n", command,
                      options.genesis == NULL ? "--genesis FILE says which chain it is" : "no file of blocks is given",
                      command);
        return CEVM_EXIT_USAGE;
    }
    if (options.state != NULL && options.data_dir != NULL) {
        (void)fprintf(stderr, "%s: --state and --data-dir do not go together (%s --help)\n", command, command);
        return CEVM_EXIT_USAGE;
    }
    if (options.no_sync && options.data_dir == NULL) {
        (void)fprintf(stderr, "%s: --no-sync wants --data-dir too (%s --help)\n", command, command);
        return CEVM_EXIT_USAGE;
    }
    session *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)fprintf(stderr, "%s: out of memory\n", command);
        return CEVM_EXIT_FAILURE;
    }
    s->options = &options;
    const int code = run(s, &files);
    close_session(s);
    free(s);
    return code;
}
