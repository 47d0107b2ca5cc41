/* SPDX-License-Identifier: Apache-2.0 */
/* cevm db: the store on disk made, looked into, checked, dumped, loaded and kept small. */
#include "cli/db.h"

#include <cevm/crypto.h>
#include <cevm/hex.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/import.h"
#include "cli/options.h"
#include "cli/replace.h"
#include "cli/whole.h"

/* What the command line says; each subcommand uses some of it. */
typedef struct arguments {
    const char *data_dir;
    const char *genesis;
    const char *format;
    const char *out;
    uint64_t history;
    uint64_t keep;
    uint64_t receipts;
    cevm_db_get get;
    bool archive;
    bool json;
    cevm_arguments rest;
} arguments;

typedef struct subcommand {
    const char *name;
    const char *usage;   /* what stands behind the name */
    const char *summary; /* one line */
    size_t least, most;  /* arguments that are no options */
    bool writes;
    bool makes; /* the store, when it is not there */
    bool (*run)(cevm_db_command *c, const arguments *a);
} subcommand;

/* ---- Messages ---------------------------------------------------------------------------------------------------- */

bool cevm_db_say(cevm_db_command *c, cevm_err err)
{
    const char *text = err == CEVM_ERR_BACKEND || err == CEVM_ERR_IO ? cevm_lmdb_error_text(c->store) : "";
    cevm_db_clear(c);
    (void)fprintf(stderr, "%s: %s: %s\n", c->command, c->data_dir, text[0] != '\0' ? text : cevm_err_string(err));
    return false;
}

void cevm_db_show(cevm_db_command *c, const char *what, uint64_t done, uint64_t total)
{
    enum { CLOCK_EVERY = 256 };
    if (!c->term.is_terminal || done % CLOCK_EVERY != 0 || cevm_import_now() - c->shown < 1.0) {
        return;
    }
    c->shown = cevm_import_now();
    c->has_line = true;
    if (total != 0) {
        (void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " %s (%.0f %%) ", done, total, what,
                      100.0 * (double)done / (double)total);
    } else {
        (void)fprintf(stderr, "\r%" PRIu64 " %s ", done, what);
    }
}

void cevm_db_clear(cevm_db_command *c)
{
    if (c->has_line) {
        (void)fprintf(stderr, "\r%60s\r", "");
        c->has_line = false;
    }
}

static bool show_items(void *user, uint64_t done, uint64_t total)
{
    cevm_db_show(user, "accounts and slots", done, total);
    return true;
}

static bool show_blocks(void *user, uint64_t done, uint64_t total)
{
    cevm_db_show(user, "blocks", done, total);
    return true;
}

/* ---- init -------------------------------------------------------------------------------------------------------- */

static bool run_init(cevm_db_command *c, const arguments *a)
{
    cevm_genesis_error error;
    cevm_genesis *genesis = NULL;
    cevm_memdb *db = NULL;
    cevm_db_block head;
    char hash[65];
    bool found = false;
    cevm_err err = cevm_lmdb_head(c->store, &found, &head);
    if (err != CEVM_OK || a->genesis == NULL) {
        return err == CEVM_OK || cevm_db_say(c, err);
    }
    if (found) {
        (void)fprintf(stderr, "%s: %s: holds a chain already\n", c->command, c->data_dir);
        return false;
    }
    err = cevm_memdb_create(&db, NULL);
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    err = cevm_genesis_load(&genesis, &error, db, a->genesis, NULL);
    if (err != CEVM_OK) {
        (void)fprintf(stderr, "%s: %s\n", c->command, error.text);
    }
    const cevm_import_options options = {.command = c->command, .data_dir = c->data_dir};
    const bool ok = err == CEVM_OK && cevm_import_store_fill(c->store, db, genesis, &options);
    if (ok) {
        cevm_hex_encode(hash, genesis->hash.bytes, sizeof genesis->hash.bytes);
        (void)printf("block 0 is 0x%s\n", hash);
    }
    cevm_genesis_destroy(genesis, NULL);
    cevm_memdb_destroy(db);
    return ok;
}

/* ---- stat -------------------------------------------------------------------------------------------------------- */

static void print_stat_json(const cevm_lmdb_stat *s, const char *root, const cevm_db_block *head, const char *hash)
{
    (void)printf("{\"accounts\":%" PRIu64 ",\"slots\":%" PRIu64 ",\"codes\":%" PRIu64 ",\"branches\":%" PRIu64
                 ",\"blocks\":%" PRIu64 ",\"remembered\":%" PRIu64 ",\"usedBytes\":%" PRIu64 ",\"fileBytes\":%" PRIu64
                 ",\"receipts\":%" PRIu64 ",\"transactions\":%" PRIu64 ",\"logRecords\":%" PRIu64 ",\"root\":\"0x%s\"",
                 s->accounts, s->slots, s->codes, s->branches, s->blocks, s->remembered, s->used_bytes, s->file_bytes,
                 s->receipts, s->transactions, s->log_records, root);
    if (s->history == CEVM_LMDB_ARCHIVE) {
        (void)printf(",\"history\":null");
    } else {
        (void)printf(",\"history\":%" PRIu64, s->history);
    }
    if (head != NULL) {
        (void)printf(",\"head\":{\"number\":%" PRIu64 ",\"hash\":\"0x%s\"}", head->number, hash);
    } else {
        (void)printf(",\"head\":null");
    }
    (void)printf("}\n");
}

static bool run_stat(cevm_db_command *c, const arguments *a)
{
    cevm_lmdb_stat s;
    cevm_db_block head;
    bool found = false;
    char root[65];
    char hash[65] = "";
    cevm_err err = cevm_lmdb_get_stat(c->store, &s);
    if (err == CEVM_OK) {
        err = cevm_lmdb_head(c->store, &found, &head);
    }
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    cevm_hex_encode(root, s.root.bytes, sizeof s.root.bytes);
    if (found) {
        cevm_hex_encode(hash, head.hash.bytes, sizeof head.hash.bytes);
    }
    if (a->json) {
        print_stat_json(&s, root, found ? &head : NULL, hash);
        return true;
    }
    (void)printf("accounts    %" PRIu64 "\nslots       %" PRIu64 "\ncodes       %" PRIu64 "\nbranches    %" PRIu64 "\n",
                 s.accounts, s.slots, s.codes, s.branches);
    (void)printf("used        %.1f MB of a file of %.1f MB\n", (double)s.used_bytes / 1e6, (double)s.file_bytes / 1e6);
    if (found) {
        (void)printf("head        block %" PRIu64 " 0x%s\n", head.number, hash);
    } else {
        (void)printf("head        none: accounts only\n");
    }
    (void)printf("state root  0x%s\n", root);
    (void)printf("receipts    of %" PRIu64 " blocks; %" PRIu64 " transactions, %" PRIu64 " records of logs\n",
                 s.receipts, s.transactions, s.log_records);
    if (s.history == CEVM_LMDB_ARCHIVE) {
        (void)printf("history     all blocks (%" PRIu64 ")\n", s.remembered);
    } else {
        (void)printf("history     %" PRIu64 " blocks of at most %" PRIu64 "\n", s.remembered, s.history);
    }
    return true;
}

/* ---- get --------------------------------------------------------------------------------------------------------- */

static bool run_get(cevm_db_command *c, const arguments *a)
{
    cevm_db_get get = a->get;
    get.rest = a->rest;
    return cevm_db_run_get(c, &get);
}

/* ---- verify, dump, load, prune, compact -------------------------------------------------------------------------- */

/* Whether the block that is said to be the head has the state root that is stored. */
static bool verify_head(cevm_db_command *c)
{
    const cevm_import_options options = {.command = c->command, .data_dir = c->data_dir};
    cevm_import_point point;
    bool found = false;
    cevm_hash root;
    if (!cevm_import_store_load(&point, &found, c->store, &options)) {
        cevm_import_point_free(&point);
        return false;
    }
    const cevm_err err = c->db.vtable->root(c->db.ctx, &root);
    bool ok = err == CEVM_OK || cevm_db_say(c, err);
    if (ok && found && !cevm_hash_equal(&root, &point.head.state_root)) {
        (void)fprintf(stderr, "%s: %s: the state is not that of the head, block %" PRIu64 "\n", c->command, c->data_dir,
                      point.head.number);
        ok = false;
    }
    cevm_import_point_free(&point);
    return ok;
}

static bool run_verify(cevm_db_command *c, const arguments *a)
{
    char root[65];
    cevm_lmdb_stat s;
    (void)a;
    cevm_err err = cevm_lmdb_verify(c->store, show_items, c);
    if (err == CEVM_OK) {
        err = cevm_lmdb_get_stat(c->store, &s);
    }
    cevm_db_clear(c);
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    if (!verify_head(c)) {
        return false;
    }
    cevm_hex_encode(root, s.root.bytes, sizeof s.root.bytes);
    (void)printf("%" PRIu64 " accounts and %" PRIu64 " slots are whole; the state root is 0x%s\n", s.accounts, s.slots,
                 root);
    return true;
}

static bool run_dump(cevm_db_command *c, const arguments *a)
{
    static const char *const names[] = {
        [CEVM_DUMP_JSON] = "json", [CEVM_DUMP_ANVIL] = "anvil", [CEVM_DUMP_BINARY] = "binary"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (strcmp(a->format != NULL ? a->format : names[CEVM_DUMP_JSON], names[i]) == 0) {
            return cevm_db_dump(c, a->out, (cevm_dump_format)i);
        }
    }
    (void)fprintf(stderr, "%s: --format is json, anvil or binary\n", c->command);
    return false;
}

static bool run_load(cevm_db_command *c, const arguments *a)
{
    char text[65];
    cevm_hash root;
    if (!cevm_db_load(c, a->rest.items[0])) {
        return false;
    }
    const cevm_err err = c->db.vtable->root(c->db.ctx, &root);
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    cevm_hex_encode(text, root.bytes, sizeof root.bytes);
    (void)printf("the state root is 0x%s\n", text);
    return true;
}

static bool run_prune(cevm_db_command *c, const arguments *a)
{
    cevm_lmdb_stat s;
    cevm_err err = a->keep != UINT64_MAX ? cevm_lmdb_prune(c->store, a->keep, show_blocks, c) : CEVM_OK;
    if (err == CEVM_OK && a->receipts != UINT64_MAX) {
        err = cevm_lmdb_prune_receipts(c->store, a->receipts, show_blocks, c);
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_get_stat(c->store, &s);
    }
    cevm_db_clear(c);
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    (void)printf("%" PRIu64 " blocks can be taken back or looked into\n", s.remembered);
    if (a->receipts != UINT64_MAX) {
        (void)printf("receipts of %" PRIu64 " blocks are kept\n", s.receipts);
    }
    return true;
}

static bool run_compact(cevm_db_command *c, const arguments *a)
{
    char folder[3200];
    char copy[3300];
    char old[3300];
    cevm_lmdb_stat s;
    (void)a;
    (void)snprintf(folder, sizeof folder, "%s/compact", c->data_dir);
    (void)snprintf(copy, sizeof copy, "%s/data.mdb", folder);
    (void)snprintf(old, sizeof old, "%s/data.mdb", c->data_dir);
    (void)unlink(copy); /* of a run that was ended */
    cevm_err err = cevm_lmdb_get_stat(c->store, &s);
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        (void)fprintf(stderr, "%s: %s: %s\n", c->command, folder, strerror(errno));
        return false;
    }
    err = cevm_lmdb_copy(c->store, folder);
    if (err != CEVM_OK) {
        (void)unlink(copy);
        (void)rmdir(folder);
        return cevm_db_say(c, err);
    }
    /* The copy is whole on the disk before it takes the place of the old file. */
    const bool ok = cevm_replace_file(copy, old);
    if (!ok) {
        (void)fprintf(stderr, "%s: %s: %s\n", c->command, c->data_dir, strerror(errno));
        (void)unlink(copy);
    }
    (void)rmdir(folder);
    if (ok) {
        struct stat now = {.st_size = 0};
        (void)stat(old, &now);
        (void)printf("the file was %.1f MB and is %.1f MB now\n", (double)s.file_bytes / 1e6,
                     (double)now.st_size / 1e6);
    }
    return ok;
}

/* ---- The command ------------------------------------------------------------------------------------------------- */

static const subcommand subcommands[] = {
    {"init", "[--genesis FILE] [--history N | --archive] [--receipts N]",
     "make a store, or change how much it remembers", 0, 0, true, true, run_init},
    {"stat", "[--json]", "how much there is, and the head", 0, 0, false, false, run_stat},
    {"get", "ADDRESS [KEY] [--back N]", "an account or a slot, now or N blocks ago", 1, 2, false, false, run_get},
    {"get", "block NUMBER|HASH", "a block of the chain", 1, 2, false, false, run_get},
    {"get", "tx|receipt HASH", "a transaction, or what came of it", 1, 2, false, false, run_get},
    {"get", "logs [--from N] [--to N] [--address A,...]", "logs, also by --topic0 T,... to --topic3", 1, 2, false,
     false, run_get},
    {"verify", "", "read everything and make all roots anew", 0, 0, false, false, run_verify},
    {"dump", "[--format json|anvil|binary] [--out FILE]", "write all accounts", 0, 0, false, false, run_dump},
    {"load", "FILE", "read accounts into a new store", 1, 1, true, true, run_load},
    {"prune", "--keep N | --receipts N", "forget the past or receipts, but for N blocks", 0, 0, true, false, run_prune},
    {"compact", "", "write the file anew, without free pages", 0, 0, true, false, run_compact},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

void cevm_help_db(FILE *to, const cevm_cli *cli)
{
    enum { COLUMN = 35 }; /* where the summaries begin, when the usage leaves room */
    (void)fprintf(to, "Usage: %s db COMMAND --data-dir DIR [OPTION]...\n\nWorks on a store on disk (LMDB).\n\n",
                  cli->program);
    for (size_t i = 0; i < SUBCOMMANDS; ++i) {
        const bool fits = strlen(subcommands[i].usage) < COLUMN - 10;
        (void)fprintf(to, "  %-8s%-*s", subcommands[i].name, COLUMN - 10, subcommands[i].usage);
        (void)fprintf(to, "%s%*s%s\n", fits ? "" : "\n", fits ? 0 : COLUMN, "", subcommands[i].summary);
    }
    (void)fputs("\n"
                "A dump is geth's alloc JSON, anvil's state (for its --load-state) or binary,\n"
                "which takes a third of the space and ends with the state root; all are in the\n"
                "order of the hashes of addresses and keys, so that equal states give equal\n"
                "files. load reads each of them, what anvil --dump-state wrote, and genesis.json.\n"
                "Receipts, what finds transactions and logs, are kept as long as the chain unless\n"
                "init --receipts or prune --receipts says otherwise. prune is told what to keep:\n"
                "--keep 0 forgets all the past.\n"
                "\n"
                "verify, stat, get and dump run beside a program that writes; the others want the\n"
                "store for themselves, compact even against readers. The exit code is 0, 1 when\n"
                "the work could not be done or the store is damaged, 2 for a wrong command line.\n",
                to);
    (void)fprintf(to,
                  "\n"
                  "Examples\n"
                  "  %s db init --data-dir chain --genesis genesis.json --archive\n"
                  "  %s db get --data-dir chain 0x00000000219ab540356cbb839cbe05303d7705fa 0x20\n"
                  "  %s db dump --data-dir chain --format binary --out state.dump\n"
                  "  %s db load --data-dir other state.dump\n",
                  cli->program, cli->program, cli->program, cli->program);
}

static bool open_store(cevm_db_command *c, const subcommand *sub, const arguments *a)
{
    cevm_lmdb_error error;
    const cevm_lmdb_options options = {.struct_size = sizeof options,
                                       .path = a->data_dir,
                                       .create = sub->makes,
                                       .read_only = !sub->writes,
                                       .check_pages = sub->run == run_verify,
                                       .has_history = a->archive || a->history != UINT64_MAX,
                                       .history = a->archive ? CEVM_LMDB_ARCHIVE : a->history,
                                       .has_receipts = sub->makes && a->receipts != UINT64_MAX,
                                       .receipts = a->receipts};
    const cevm_err err = cevm_lmdb_open(&c->store, &error, &options);
    if (err != CEVM_OK) {
        (void)fprintf(stderr, "%s: %s\n", c->command, error.text[0] != '\0' ? error.text : cevm_err_string(err));
        return false;
    }
    c->db = cevm_lmdb_interface(c->store);
    return sub->run == run_stat || sub->run == run_compact || cevm_is_whole_store(c->store, c->command, a->data_dir);
}

/* What the options say cannot be done, or would undo what nobody asked to lose; NULL: they make sense. */
static const char *contradiction(const subcommand *sub, const arguments *a)
{
    if (sub->run == run_prune && a->keep == UINT64_MAX && a->receipts == UINT64_MAX) {
        return "--keep N says how many blocks are to be remembered (0: none), --receipts N whose receipts are kept";
    }
    if (a->archive && a->history != UINT64_MAX) {
        return "--archive and --history do not go together";
    }
    return a->get.from > a->get.to ? "--from comes after --to" : NULL;
}

static int run_subcommand(const subcommand *sub, int argc, char **argv, const cevm_cli *cli)
{
    char command[80];
    arguments a = {.history = UINT64_MAX, .receipts = UINT64_MAX, .keep = UINT64_MAX, .get = {.to = UINT64_MAX}};
    const cevm_option init[] = {
        {"data-dir", CEVM_OPTION_TEXT, &a.data_dir},   {"genesis", CEVM_OPTION_TEXT, &a.genesis},
        {"history", CEVM_OPTION_NUMBER, &a.history},   {"archive", CEVM_OPTION_SWITCH, &a.archive},
        {"receipts", CEVM_OPTION_NUMBER, &a.receipts}, {NULL, CEVM_OPTION_SWITCH, NULL}};
    const cevm_option others[] = {{"data-dir", CEVM_OPTION_TEXT, &a.data_dir},
                                  {"json", CEVM_OPTION_SWITCH, &a.json},
                                  {"back", CEVM_OPTION_NUMBER, &a.get.back},
                                  {"from", CEVM_OPTION_NUMBER, &a.get.from},
                                  {"to", CEVM_OPTION_NUMBER, &a.get.to},
                                  {"address", CEVM_OPTION_TEXT, &a.get.address},
                                  {"topic0", CEVM_OPTION_TEXT, &a.get.topics[0]},
                                  {"topic1", CEVM_OPTION_TEXT, &a.get.topics[1]},
                                  {"topic2", CEVM_OPTION_TEXT, &a.get.topics[2]},
                                  {"topic3", CEVM_OPTION_TEXT, &a.get.topics[3]},
                                  {"format", CEVM_OPTION_TEXT, &a.format},
                                  {"out", CEVM_OPTION_TEXT, &a.out},
                                  {"keep", CEVM_OPTION_NUMBER, &a.keep},
                                  {"receipts", CEVM_OPTION_NUMBER, &a.receipts},
                                  {NULL, CEVM_OPTION_SWITCH, NULL}};
    (void)snprintf(command, sizeof command, "%s db %s", cli->program, sub->name);
    if (!cevm_options_parse(&a.rest, sub->run == run_init ? init : others, command, argc, argv)) {
        return CEVM_EXIT_USAGE;
    }
    if (a.rest.help) {
        cevm_help_db(stdout, cli);
        return CEVM_EXIT_OK;
    }
    if (a.data_dir == NULL || a.rest.count < sub->least || a.rest.count > sub->most) {
        (void)fprintf(stderr, "%s: %s\nUsage: %s --data-dir DIR %s\n", command,
                      a.data_dir == NULL ? "--data-dir DIR says which store"
                                         : "there are too few or too many arguments",
                      command, sub->usage);
        return CEVM_EXIT_USAGE;
    }
    const char *fault = contradiction(sub, &a);
    if (fault != NULL) {
        (void)fprintf(stderr, "%s: %s\n", command, fault);
        return CEVM_EXIT_USAGE;
    }
    cevm_db_command c = {.command = command, .data_dir = a.data_dir, .term = cevm_term_of(stderr)};
    if (!open_store(&c, sub, &a)) {
        return CEVM_EXIT_FAILURE;
    }
    bool ok = sub->run(&c, &a);
    cevm_lmdb_close(c.store);
    ok = fflush(stdout) == 0 && ok;
    return ok ? CEVM_EXIT_OK : CEVM_EXIT_FAILURE;
}

int cevm_cmd_db(const cevm_cli *cli, int argc, char **argv)
{
    if (argc < 2) {
        cevm_help_db(stderr, cli);
        return CEVM_EXIT_USAGE;
    }
    for (size_t i = 0; i < SUBCOMMANDS; ++i) {
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            return run_subcommand(&subcommands[i], argc - 1, argv + 1, cli);
        }
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "-help") == 0) {
        cevm_help_db(stdout, cli);
        return CEVM_EXIT_OK;
    }
    (void)fprintf(stderr, "%s db: there is no command \"%s\" (%s db --help)\n", cli->program, argv[1], cli->program);
    return CEVM_EXIT_USAGE;
}
