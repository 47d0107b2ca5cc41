/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program: THE table of subcommands, and the few things it answers itself. Started under the name `evm` it takes the
 * place of geth's tool of that name.
 */
#include <cevm/cevm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"

typedef struct command {
    const char *name;
    const char *summary;
    int (*run)(const cevm_cli *cli, int argc, char **argv);
    void (*help)(FILE *to, const cevm_cli *cli);
} command;

static int cmd_version(const cevm_cli *cli, int argc, char **argv);
static int cmd_help(const cevm_cli *cli, int argc, char **argv);
static void help_version(FILE *to, const cevm_cli *cli);
static void help_help(FILE *to, const cevm_cli *cli);

static const command commands[] = {
    {"run", "run bytecode and show what it did", cevm_cmd_run, cevm_help_run},
    {"statetest", "run state tests in the official format", cevm_cmd_statetest, cevm_help_statetest},
    {"blocktest", "run blockchain tests in the official format", cevm_cmd_blocktest, cevm_help_blocktest},
    {"t8n", "apply a block's transactions to a state, as geth's evm t8n does", cevm_cmd_t8n, cevm_help_t8n},
    {"t8n-server", "answer t8n requests over HTTP", cevm_cmd_t8n_server, cevm_help_t8n_server},
    {"t9n", "check transactions without a state", cevm_cmd_t9n, cevm_help_t9n},
    {"b11r", "build a block from its parts", cevm_cmd_b11r, cevm_help_b11r},
    {"import", "import blocks from files onto a chain", cevm_cmd_import, cevm_help_import},
    {"node", "a chain of your own, over JSON-RPC", cevm_cmd_node, cevm_help_node},
    {"db", "make, check, dump and load a store on disk", cevm_cmd_db, cevm_help_db},
    {"precompile", "call a precompiled contract, or run its vectors", cevm_cmd_precompile, cevm_help_precompile},
    {"version", "show the version and the forks it knows", cmd_version, help_version},
    {"help", "explain a command", cmd_help, help_help},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

/* The longer names that geth's evm and the executable specification give to some. */
static const struct {
    const char *alias, *name;
} aliases[] = {{"transition", "t8n"}, {"transaction", "t9n"}, {"block-builder", "b11r"}, {"daemon", "t8n-server"}};

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; ++i) {
        name = strcmp(aliases[i].alias, name) == 0 ? aliases[i].name : name;
    }
    for (size_t i = 0; i < COMMAND_COUNT; ++i) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static void help_all(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to, "cevm %s: an Ethereum Virtual Machine\n\nUsage: %s COMMAND [OPTION]… [ARGUMENT]…\n\n",
                  cevm_version(), cli->program);
    for (size_t i = 0; i < COMMAND_COUNT; ++i) {
        (void)fprintf(to, "  %-10s  %s\n", commands[i].name, commands[i].summary);
    }
    (void)fprintf(to,
                  "\n%s COMMAND --help explains a command, with examples.\n"
                  "Started under the name `evm`, the program takes the place of go-ethereum's `evm`.\n",
                  cli->program);
}

static int unknown_command(const cevm_cli *cli, const char *name)
{
    const char *near = cevm_nearest_name(name, &commands[0].name, sizeof commands[0], COMMAND_COUNT);
    (void)fprintf(stderr, "%s: unknown command \"%s\"", cli->program, name);
    if (near != NULL) {
        (void)fprintf(stderr, "; did you mean \"%s\"?", near);
    }
    (void)fprintf(stderr, "\n(%s --help lists the commands)\n", cli->program);
    return CEVM_EXIT_USAGE;
}

/* Tools that look for geth's evm match `^evm version`, whatever the program is called. */
static void print_version_line(void) { (void)printf("evm version cevm/%s\n", cevm_version()); }

static int cmd_version(const cevm_cli *cli, int argc, char **argv)
{
    cevm_arguments arguments;
    static const cevm_option none[] = {{NULL, CEVM_OPTION_SWITCH, NULL}};
    if (!cevm_options_parse(&arguments, none, argv[0], argc, argv)) {
        return CEVM_EXIT_USAGE;
    }
    if (arguments.help) {
        help_version(stdout, cli);
        return CEVM_EXIT_OK;
    }
    print_version_line();
    (void)printf("forks:");
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        (void)printf(" %s", cevm_fork_name((cevm_fork)fork));
    }
    (void)printf("\n");
    return CEVM_EXIT_OK;
}

static void help_version(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(
        to, "Usage: %s version\n\nShows the version and the forks, oldest first. `%s -v` shows the version only.\n",
        cli->program, cli->program);
}

static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-help") == 0;
}

static int cmd_help(const cevm_cli *cli, int argc, char **argv)
{
    if (argc < 2) {
        help_all(stdout, cli);
        return CEVM_EXIT_OK;
    }
    const command *found = find_command(is_help(argv[1]) ? argv[0] : argv[1]);
    if (found == NULL) {
        return unknown_command(cli, argv[1]);
    }
    found->help(stdout, cli);
    return CEVM_EXIT_OK;
}

static void help_help(FILE *to, const cevm_cli *cli) { (void)fprintf(to, "Usage: %s help [COMMAND]\n", cli->program); }

int main(int argc, char **argv)
{
    const char *name = argc > 0 && argv[0] != NULL ? argv[0] : "cevm";
    const char *slash = strrchr(name, '/');
    cevm_cli cli = {.program = "cevm", .as_evm = strcmp(slash != NULL ? slash + 1 : name, "evm") == 0};
    if (cli.as_evm) {
        cli.program = "evm";
    }
    if (argc < 2) {
        help_all(stderr, &cli);
        return CEVM_EXIT_USAGE;
    }
    const char *word = argv[1];
    int code = CEVM_EXIT_OK;
    if (strcmp(word, "-v") == 0 || strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0 ||
        strcmp(word, "-version") == 0) {
        print_version_line();
    } else if (is_help(word)) {
        help_all(stdout, &cli);
    } else {
        const command *found = find_command(word);
        code = found != NULL ? found->run(&cli, argc - 1, argv + 1) : unknown_command(&cli, word);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fprintf(stderr, "%s: cannot write to standard output\n", cli.program);
        return code != CEVM_EXIT_OK ? code : CEVM_EXIT_FAILURE;
    }
    return code;
}
