/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/commands.h: the subcommands of the program. THE table is in cli/main.c; adding a subcommand is one row there, one
 * handler in a file of its own, and one declaration here.
 *
 * A handler gets its own name in argv[0] and its arguments after it, writes results to stdout and everything else to
 * stderr, and returns the exit code: CEVM_EXIT_OK, or one of the others below.
 */
#ifndef CEVM_CLI_COMMANDS_H
#define CEVM_CLI_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

enum {
    CEVM_EXIT_OK = 0,
    CEVM_EXIT_FAILURE = 1, /* the work could not be done: a file is missing, its content is wrong, memory ran out */
    CEVM_EXIT_USAGE = 2    /* the command line is wrong */
};

/** What the process was started as and must behave like. */
typedef struct cevm_cli {
    const char *program; /* "cevm" or "evm": how to name ourselves in messages */
    bool as_evm;         /* started under the name `evm`: speak as geth's evm does where the two differ */
} cevm_cli;

/** `cevm run`: runs bytecode. In cli/run.c. */
int cevm_cmd_run(const cevm_cli *cli, int argc, char **argv);

/** `cevm statetest`: runs state tests in the official format. In cli/statetest.c. */
int cevm_cmd_statetest(const cevm_cli *cli, int argc, char **argv);

/** `cevm blocktest`: runs blockchain tests in the official format. In cli/blocktest.c. */
int cevm_cmd_blocktest(const cevm_cli *cli, int argc, char **argv);

/** `cevm precompile`: calls a precompiled contract. In cli/precompile.c. */
int cevm_cmd_precompile(const cevm_cli *cli, int argc, char **argv);

/** `cevm t8n`, `t9n`, `b11r`: a block's transition, transactions alone, a block from its parts. In files of these names. */
int cevm_cmd_t8n(const cevm_cli *cli, int argc, char **argv);
int cevm_cmd_t9n(const cevm_cli *cli, int argc, char **argv);
int cevm_cmd_b11r(const cevm_cli *cli, int argc, char **argv);
/** `cevm t8n-server`: transitions over HTTP. In cli/t8n_server.c. */
int cevm_cmd_t8n_server(const cevm_cli *cli, int argc, char **argv);
void cevm_help_t8n(FILE *to, const cevm_cli *cli);
void cevm_help_t9n(FILE *to, const cevm_cli *cli);
void cevm_help_b11r(FILE *to, const cevm_cli *cli);
void cevm_help_t8n_server(FILE *to, const cevm_cli *cli);

/** `cevm import`: imports blocks onto a chain. In cli/import.c, with its help. */
int cevm_cmd_import(const cevm_cli *cli, int argc, char **argv);
void cevm_help_import(FILE *to, const cevm_cli *cli);

/** `cevm db`: works on a store on disk. In cli/db.c, with its help. */
int cevm_cmd_db(const cevm_cli *cli, int argc, char **argv);
void cevm_help_db(FILE *to, const cevm_cli *cli);

/** `cevm node`: a development node. In cli/node.c, its help in cli/node_show.c. */
int cevm_cmd_node(const cevm_cli *cli, int argc, char **argv);
void cevm_help_node(FILE *to, const cevm_cli *cli);

/** Help texts (cli/help.c): written to `to`. */
void cevm_help_run(FILE *to, const cevm_cli *cli);
void cevm_help_statetest(FILE *to, const cevm_cli *cli);
void cevm_help_blocktest(FILE *to, const cevm_cli *cli);
void cevm_help_precompile(FILE *to, const cevm_cli *cli);

#endif
