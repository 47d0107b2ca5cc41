/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/node.h: the parts of `cevm node`: node.c runs it, node_options.c reads the command line, node_show.c has the help, the
 * banner and the list of methods.
 */
#ifndef CEVM_CLI_NODE_H
#define CEVM_CLI_NODE_H

#include "cli/commands.h"
#include "cli/term.h"
#include "rpc/artifacts.h"
#include "rpc/server.h"

#include "rpc/node.h"

/** What the command line says. */
typedef struct cevm_node_command {
    char name[48]; /* "cevm node", for messages */
    cevm_node_options node;
    cevm_server_options server;
    const char *state;      /* read at the start if it is there, written at the end */
    const char *load_state; /* read at the start */
    const char *dump_state; /* written at the end */
    const char *artifacts;
    char fork_url[2048]; /* without the block behind it */
    bool quiet;
    bool json;
    bool lists_methods;
    bool help;
} cevm_node_command;

/** False, with a message on stderr, when the command line is wrong. */
bool cevm_node_command_parse(cevm_node_command *out, const cevm_cli *cli, int argc, char **argv);

/** Shows where it listens, and the accounts with their keys. */
void cevm_node_show_banner(const cevm_node_command *command, cevm_node *node, const cevm_server *server,
                           const cevm_term *term);
/** The table of methods, for people. */
void cevm_node_show_methods(FILE *to);

#endif
