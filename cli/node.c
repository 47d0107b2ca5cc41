/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm node`: the development node, from its command line to its end. */
#include "cli/node.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/node_state.h"
#include "rpc/log.h"

static sigset_t ends(void)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    /* A terminal that is closed ends the node as Ctrl-C does, its state written; under nohup it stays. */
    struct sigaction now;
    if (sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
        (void)sigaddset(&signals, SIGHUP);
    }
    return signals;
}

/* Before there are threads: all inherit it, and one waits for them. */
static void block_signals(void)
{
    sigset_t signals = ends();
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* A second signal ends it at once, but not while the first may still echo: terminals and what started us (npm, timeout)
 * often both send it, and the state must be written nevertheless. */
static void *heed_second_signal(void *unused)
{
    static const struct timespec echo = {.tv_sec = 1};
    static const struct timespec none = {.tv_sec = 0};
    sigset_t signals = ends();
    (void)nanosleep(&echo, NULL);
    while (sigtimedwait(&signals, NULL, &none) > 0) {
    }
    (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    for (;;) {
        (void)pause();
    }
    return unused;
}

static void wait_for_end(void)
{
    sigset_t signals = ends();
    pthread_t thread;
    int signal_number;
    (void)sigwait(&signals, &signal_number);
    if (pthread_create(&thread, NULL, heed_second_signal, NULL) == 0) {
        (void)pthread_detach(thread);
    }
}

static bool fail(const cevm_node_command *c, const char *text)
{
    (void)fprintf(stderr, "%s: %s\n", c->name, text);
    return false;
}

static cevm_node_log *start_log(const cevm_node_command *c, cevm_node *node, const cevm_artifacts *artifacts,
                                const cevm_term *term)
{
    const cevm_node_log_options options = {.node = node,
                                           .to = stdout,
                                           .json = c->json,
                                           .colour = term->colour && !c->json,
                                           .unicode = term->unicode,
                                           .artifacts = artifacts,
                                           .replays_all = c->node.genesis_path != NULL || c->node.data_dir != NULL ||
                                                          c->node.fork_url != NULL || c->node.import_path != NULL};
    return c->quiet ? NULL : cevm_node_log_start(&options);
}

/* Serves until it is told to end. */
static bool serve(cevm_node_command *c, cevm_node *node, cevm_node_log *logger, const cevm_term *term)
{
    char error[512];
    cevm_server *server;
    c->server.node = node;
    c->server.observer = logger != NULL ? cevm_node_log_observe : NULL;
    c->server.observer_user = logger;
    if (logger != NULL && !cevm_node_listen(node, cevm_node_log_listen, logger)) {
        return fail(c, "too many listeners");
    }
    if (!cevm_server_start(&server, error, sizeof error, &c->server)) {
        return fail(c, error);
    }
    cevm_node_show_banner(c, node, server, term);
    wait_for_end();
    cevm_server_stop(server);
    return true;
}

static bool run(cevm_node_command *c, const cevm_artifacts *artifacts)
{
    cevm_node *node;
    cevm_node_error error;
    const cevm_term term = cevm_term_of(stdout);
    if (cevm_node_create(&node, &error, &c->node) != CEVM_OK) {
        return fail(c, error.text);
    }
    cevm_node_log *logger = start_log(c, node, artifacts, &term);
    bool ok = cevm_node_state_load(c, node) && serve(c, node, logger, &term) && cevm_node_state_dump(c, node);
    cevm_node_log_stop(logger);
    cevm_node_destroy(node);
    return ok;
}

int cevm_cmd_node(const cevm_cli *cli, int argc, char **argv)
{
    cevm_node_command command;
    cevm_artifacts *artifacts = NULL;
    char error[512];
    if (!cevm_node_command_parse(&command, cli, argc, argv)) {
        return CEVM_EXIT_USAGE;
    }
    if (command.help) {
        cevm_help_node(stdout, cli);
        return CEVM_EXIT_OK;
    }
    if (command.lists_methods) {
        cevm_node_show_methods(stdout);
        return CEVM_EXIT_OK;
    }
    if (command.artifacts != NULL && !cevm_artifacts_load(&artifacts, error, sizeof error, command.artifacts)) {
        (void)fail(&command, error);
        return CEVM_EXIT_FAILURE;
    }
    if (artifacts != NULL && cevm_artifacts_count(artifacts) == 0) { /* they may be about to be compiled: no failure */
        (void)fprintf(stderr, "%s: %s: there is no ABI here; the log will show selectors\n", command.name,
                      command.artifacts);
    }
    block_signals();
    (void)mallopt(M_ARENA_MAX, 4); /* a heap for each of hundreds of threads would never shrink */
    bool ok = run(&command, artifacts);
    cevm_artifacts_free(artifacts);
    return ok ? CEVM_EXIT_OK : CEVM_EXIT_FAILURE;
}
