/* SPDX-License-Identifier: Apache-2.0 */
/* What --help says of each command. */
#include "cli/commands.h"
#include "cli/named_trace.h"

static void help_run_options(FILE *to)
{
    (void)fputs("What runs\n"
                "  --codefile FILE     read the code from FILE, - is standard input\n"
                "  --contract NAME     which contract of a compiler's JSON\n"
                "  --create            run it as creation code; --input is appended to it\n"
                "  --input HEX         calldata\n"
                "  --inputfile FILE    calldata from a file of hex, - is standard input\n"
                "  --sender ADDRESS    caller and origin (default: the bytes of \"sender\")\n"
                "  --receiver ADDRESS  the account the code runs as (default: \"receiver\")\n"
                "  --value WEI         sent along; the sender must have it\n"
                "  --gas N             gas limit (default 10000000000, or the genesis file's)\n"
                "  --price WEI         gas price\n"
                "\n"
                "Where\n"
                "  --prestate FILE     accounts: a genesis file with \"alloc\", or its alloc alone\n"
                "  --fork NAME         rules; cevm version lists them (default: the newest, or\n"
                "                      what the genesis file or the chain says)\n"
                "  --fork-url URL      the state of a chain, asked of any JSON-RPC node; without\n"
                "                      CODE the receiver's code there runs\n"
                "  --fork-block-number N  after that block (default: the newest)\n"
                "  --fork-cache FILE   keeps what was asked for; one file serves any number of\n"
                "                      blocks and chains\n"
                "  --offline           asks nobody: all has to be in --fork-cache\n"
                "  --data-dir DIR      the state of a chain that import or node keeps in DIR, not\n"
                "                      written to; without CODE the receiver's code there runs\n"
                "  --block N           with it: after block N, if DIR remembers that (default:\n"
                "                      the newest)\n"
                "  --genesis FILE      with it: the rules and the chain id (default: the newest)\n"
                "\n"
                "What to show\n"
                "  --trace             every instruction, on standard error\n"
                "  --trace.format F    table (for people), json (EIP-3155), struct or md (as geth\n"
                "                      writes them); default: table, under the name evm json\n"
                "  --trace.nomemory=false, --trace.noreturndata=false, --trace.nostack,\n"
                "  --trace.nostorage   what json, struct and md show besides, or do not\n"
                "  --json              the same as --trace --trace.format json\n"
                "  --trace.tracer T    what a tracer makes of the run: JSON on standard error\n"
                "  --trace.config J    its options as JSON: '{\"withLog\": true}'\n"
                "  --dump              the state afterwards, as JSON on standard output\n"
                "  --bench             run for about a second; gas, time, allocations of one run\n"
                "  --statdump          the same of a single run\n"
                "\n"
                "The output goes to standard output, everything else to standard error. The exit\n"
                "code tells whether the run could be made (0), could not (1), or was asked for\n"
                "wrongly (2); a revert is a run.\n"
                "\n"
                "Tracers, and their options\n",
                to);
}

void cevm_help_run(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s run [OPTION]... [CODE]\n"
                  "\n"
                  "Runs bytecode over a state in memory, as one call without a transaction around\n"
                  "it, and shows what it returned. CODE is hex, or a file of hex, or what a\n"
                  "Solidity compiler wrote: solc's standard or combined JSON, a Hardhat or Foundry\n"
                  "artifact. Without CODE the receiver's code in --prestate runs.\n"
                  "\n",
                  cli->program);
    help_run_options(to);
    cevm_named_trace_help(to);
    (void)fprintf(to,
                  "\n"
                  "Examples\n"
                  "  %s run 0x602a60005260206000f3\n"
                  "  %s run --trace 0x602a60005260206000f3\n"
                  "  %s run --create --contract Token docs/examples/erc20.json\n"
                  "  %s run --prestate docs/examples/prestate.json --receiver 0xc0de \\\n"
                  "      --codefile docs/examples/erc20.json --input 0x18160ddd --fork Cancun\n",
                  cli->program, cli->program, cli->program, cli->program);
}

/* What statetest and blocktest show; an imported chain shows its instructions, not its state. */
static void help_showing(FILE *to, bool has_tracers)
{
    (void)fputs("\n"
                "What to show\n"
                "  --human               lines and a summary for people instead of the JSON array\n"
                "                        (the default when standard output is a terminal); the\n"
                "                        exit code is 1 when a test failed or none was chosen\n"
                "  --trace, --json       every instruction as a line of JSON (EIP-3155)\n"
                "  --trace.nomemory=false, --trace.noreturndata=false, --trace.nostack\n"
                "                        what it shows besides, or does not\n",
                to);
    (void)fputs(has_tracers ? "  --trace.tracer NAME   what a tracer makes of each transaction, a line of JSON\n"
                              "  --trace.config JSON   its options (cevm run --help lists both)\n"
                            : "",
                to);
    (void)fputs("  --bench               time and gas of each test\n"
                "  --dump                the state after each test\n"
                "  --jobs N              threads (default: the processors there are)\n"
                "  --summary FILE        the counts by fork and the reasons of skips, in a line\n"
                "                        of JSON\n"
                "\n"
                "The JSON array goes to standard output, traces and state roots to standard\n"
                "error.\n",
                to);
}

void cevm_help_statetest(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s statetest [OPTION]... [FILE|FOLDER]...\n"
                  "\n"
                  "Runs state tests in the official format. Without a FILE, names are read from\n"
                  "standard input, one a line, and each is answered before the next is read.\n"
                  "\n",
                  cli->program);
    (void)fputs("Which\n"
                "  --run REGEX           only tests whose name matches\n"
                "  --statetest.fork F    only this fork\n"
                "  --statetest.index N   only this entry of a fork's list\n",
                to);
    help_showing(to, true);
    (void)fprintf(to,
                  "\n"
                  "Examples\n"
                  "  %s statetest ethereum-tests/samples\n"
                  "  %s statetest --human --statetest.fork Cancun ethereum-tests/samples\n"
                  "  %s statetest --trace --statetest.index 0 test.json 2>trace.jsonl\n",
                  cli->program, cli->program, cli->program);
}

void cevm_help_blocktest(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s blocktest [OPTION]... [FILE|FOLDER]...\n"
                  "\n"
                  "Runs blockchain tests in the official format: imports the blocks of each, valid\n"
                  "and invalid ones, and compares what is refused and why, the head, and the state\n"
                  "at the head. Without a FILE, names are read from standard input, one a line, and\n"
                  "each is answered before the next is read.\n"
                  "\n",
                  cli->program);
    (void)fputs("Which\n"
                "  --run REGEX           only tests whose name matches\n",
                to);
    help_showing(to, false);
    (void)fprintf(to,
                  "\n"
                  "Examples\n"
                  "  %s blocktest ethereum-tests/block-samples\n"
                  "  %s blocktest --run Cancun --trace test.json 2>trace.jsonl\n",
                  cli->program, cli->program);
}

void cevm_help_precompile(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s precompile [OPTION]... CONTRACT INPUT\n"
                  "       %s precompile --vectors FILE [CONTRACT]\n"
                  "       %s precompile --list\n"
                  "\n",
                  cli->program, cli->program, cli->program);
    (void)fputs("Calls a precompiled contract and shows its output and the gas it takes; or, when\n"
                "it refuses the input, the rule that it broke. CONTRACT is a name or an address\n"
                "that --list shows. INPUT is hex, or @FILE with hex in it, or - for hex on\n"
                "standard input.\n"
                "\n"
                "  --fork NAME      rules and prices (default: the newest)\n"
                "  --vectors FILE   run a file of go-ethereum's form: Input, Expected or\n"
                "                   ExpectedError, Gas, Name; CONTRACT only where the file's name\n"
                "                   does not tell it\n"
                "  --json           the result as JSON; of vectors an array of name and pass\n"
                "  --bench          with --vectors: the time of each case that succeeds, its gas\n"
                "                   a second, and the slowest; with --fork at its prices\n"
                "  --list           the contracts: address, name, first fork, EIP\n"
                "\n"
                "The exit code is 0 when the contract gave an output, or all vectors passed; 1\n"
                "when not; 2 when the command line is wrong.\n",
                to);
    (void)fprintf(to,
                  "\n"
                  "Examples\n"
                  "  %s precompile SHA256 0x616263\n"
                  "  %s precompile 0x05 @modexp.hex --fork Berlin\n"
                  "  %s precompile --vectors blsG1Mul.json --json\n"
                  "  %s precompile --vectors modexp.json --bench --fork Osaka\n",
                  cli->program, cli->program, cli->program, cli->program);
}
