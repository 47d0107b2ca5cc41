/* SPDX-License-Identifier: Apache-2.0 */
/* What --help says of each command. */
#include "cli/commands.h"
#include "cli/named_trace.h"

void cevm_help_run(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(
        to,
        "Usage: %s run [OPTION]... [CODE]\n\n"
        "Runs bytecode over a state in memory, as one call without a transaction around it, and shows what\n"
        "it returned. CODE is hex, or a file of hex, or what a Solidity compiler wrote: solc's standard or\n"
        "combined JSON, a Hardhat or Foundry artifact. Without CODE the receiver's code in --prestate runs.\n\n",
        cli->program);
    (void)fputs("What runs\n"
                "  --codefile FILE    read the code from FILE, - is standard input\n"
                "  --contract NAME    which contract of a compiler's JSON\n"
                "  --create           run it as creation code; --input is appended to it\n"
                "  --input HEX        calldata\n"
                "  --inputfile FILE   calldata from a file of hex, - is standard input\n"
                "  --sender ADDRESS   caller and origin (default: the bytes of \"sender\")\n"
                "  --receiver ADDRESS the account the code runs as (default: \"receiver\")\n"
                "  --value WEI        sent along; the sender must have it\n"
                "  --gas N            gas limit (default 10000000000, or the genesis file's)\n"
                "  --price WEI        gas price\n"
                "\nWhere\n"
                "  --prestate FILE    accounts, as a genesis file with \"alloc\" or its alloc alone\n"
                "  --fork NAME        rules (default: the newest, or what the genesis file or the chain says)\n"
                "  --fork-url URL     the state of a chain, asked of any JSON-RPC node; without CODE the receiver's\n"
                "                     code there runs\n"
                "  --fork-block-number N  after that block (default: the newest)\n"
                "  --fork-cache FILE  keeps what was asked for; one file serves any number of blocks and chains\n"
                "  --offline          asks nobody: all has to be in --fork-cache\n"
                "  --data-dir DIR     the state of a chain that import or node keeps in DIR, only read; without\n"
                "                     CODE the receiver's code there runs\n"
                "  --block N          with it: after block N, if DIR remembers that (default: the newest)\n"
                "  --genesis FILE     with it: the rules and the chain id (default: the newest rules)\n"
                "\nWhat to show\n"
                "  --trace            every instruction, on standard error\n"
                "  --trace.format F   table (for people), json (EIP-3155), struct or md (as geth writes them);\n"
                "                     the default is table, and json under the name evm\n"
                "  --trace.nomemory=false, --trace.noreturndata=false, --trace.nostack, --trace.nostorage\n"
                "  --json             the same as --trace --trace.format json\n"
                "  --trace.tracer T   what a tracer makes of the run, as a line of JSON on standard error\n"
                "  --trace.config J   its options as JSON: '{\"withLog\": true}'\n"
                "  --dump             the state afterwards, as JSON on standard output\n"
                "  --bench            run for about a second; gas, time and allocations of one run\n"
                "  --statdump         the same of a single run\n"
                "\nThe output goes to standard output, everything else to standard error. The exit code tells whether\n"
                "the run could be made (0), could not (1), or was asked for wrongly (2); a revert is a run.\n"
                "\nTracers, and their options\n",
                to);
    cevm_named_trace_help(to);
    (void)fprintf(to,
                  "\nExamples\n"
                  "  %s run 0x602a60005260206000f3\n"
                  "  %s run --trace 0x602a60005260206000f3\n"
                  "  %s run --create --contract Token build/Token.json\n"
                  "  %s run --prestate genesis.json --receiver 0xc0de... --input 0x18160ddd --fork Cancun\n",
                  cli->program, cli->program, cli->program, cli->program);
}

/* What statetest and blocktest show. */
static void help_showing(FILE *to)
{
    (void)fputs("\nWhat to show\n"
                "  --human                lines and a summary for people instead of the JSON array\n"
                "                         (the default when standard output is a terminal)\n"
                "  --trace, --json        every instruction as a JSON line (EIP-3155) on standard error\n"
                "  --trace.nomemory=false, --trace.noreturndata=false, --trace.nostack\n"
                "  --trace.tracer NAME    statetest: what a tracer makes of each transaction, as a line of JSON there\n"
                "  --trace.config JSON    its options (cevm run --help lists both)\n"
                "  --bench                time and gas of each test\n"
                "  --dump                 the state after each test\n"
                "  --jobs N               threads (default: the processors there are)\n"
                "  --summary FILE         the counts by fork and the reasons of skips, as one line of JSON\n"
                "\nThe JSON array goes to standard output, traces and state roots to standard error.\n",
                to);
}

void cevm_help_statetest(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s statetest [OPTION]... [FILE|FOLDER]...\n\n"
                  "Runs state tests in the official format. Without a FILE, names are read from standard input, one a\n"
                  "line, and each is answered before the next is read.\n\n",
                  cli->program);
    (void)fputs("Which\n"
                "  --run REGEX            only tests whose name matches\n"
                "  --statetest.fork F     only this fork\n"
                "  --statetest.index N    only this entry of a fork's list\n",
                to);
    help_showing(to);
    (void)fprintf(to,
                  "\nExamples\n"
                  "  %s statetest ethereum-tests/samples\n"
                  "  %s statetest --statetest.fork Cancun --run add test.json\n"
                  "  %s statetest --trace --statetest.index 0 test.json 2>trace.jsonl\n",
                  cli->program, cli->program, cli->program);
}

void cevm_help_blocktest(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(
        to,
        "Usage: %s blocktest [OPTION]... [FILE|FOLDER]...\n\n"
        "Runs blockchain tests in the official format: imports the blocks of each, valid and invalid ones, and\n"
        "compares what is refused and why, the head, and the state at the head. Without a FILE, names are read\n"
        "from standard input, one a line, and each is answered before the next is read.\n\n",
        cli->program);
    (void)fputs("Which\n"
                "  --run REGEX            only tests whose name matches\n",
                to);
    help_showing(to);
    (void)fprintf(to,
                  "\nExamples\n"
                  "  %s blocktest ethereum-tests/block-samples\n"
                  "  %s blocktest --run Cancun --trace test.json 2>trace.jsonl\n",
                  cli->program, cli->program);
}

void cevm_help_precompile(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s precompile [OPTION]... CONTRACT INPUT\n"
                  "       %s precompile --vectors FILE [CONTRACT]\n"
                  "       %s precompile --list\n\n",
                  cli->program, cli->program, cli->program);
    (void)fputs("Calls a precompiled contract and shows its output and the gas it takes; or, when it refuses the\n"
                "input, the rule that it broke. CONTRACT is a name or an address that --list shows. INPUT is hex, or\n"
                "@FILE with hex in it, or - for hex on standard input.\n\n"
                "  --fork NAME      rules and prices (default: the newest)\n"
                "  --vectors FILE   run a file of go-ethereum's form: Input, Expected or ExpectedError, Gas, Name;\n"
                "                   CONTRACT only where the file's name does not tell it\n"
                "  --json           the result as JSON; of vectors an array of name and pass\n"
                "  --bench          with --vectors: the time of each case that succeeds, its gas a second, and the\n"
                "                   slowest; with --fork at that fork's prices\n"
                "  --list           the contracts: address, name, first fork, EIP\n"
                "\nThe exit code is 0 when the contract gave an output, or all vectors passed; 1 when not; 2 when the\n"
                "command line is wrong.\n",
                to);
    (void)fprintf(to,
                  "\nExamples\n"
                  "  %s precompile SHA256 0x616263\n"
                  "  %s precompile 0x05 @modexp.hex --fork Berlin\n"
                  "  %s precompile --vectors blsG1Mul.json --json\n"
                  "  %s precompile --vectors modexp.json --bench --fork Osaka\n",
                  cli->program, cli->program, cli->program, cli->program);
}
