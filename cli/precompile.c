/* SPDX-License-Identifier: Apache-2.0 */
/* cevm precompile: calls one precompiled contract, without a transaction or a frame around it. */
#include "cli/precompile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/options.h"

/* What each contract refuses. `unit` is the input's size, or with `many` what it is a positive (or any) multiple of. */
typedef struct input_rule {
    uint16_t address;
    uint16_t unit;
    bool many;
    bool may_be_empty;
    const char *length;
    const char *content;
} input_rule;

static const input_rule rules[] = {
    {0x05, 0, false, true, "", "no length may be above 1024 bytes (EIP-7823)"},
    {0x06, 0, false, true, "", "coordinates must be below the field's modulus and points on the curve"},
    {0x07, 0, false, true, "", "coordinates must be below the field's modulus and the point on the curve"},
    {0x08, 192, true, true, "the input must be pairs of 192 bytes",
     "coordinates must be below the field's modulus, points on their curve, those of G2 in the subgroup"},
    {0x09, 213, false, false, "the input must be 213 bytes", "the last byte, the final block flag, must be 0 or 1"},
    {0x0a, 192, false, false, "the input must be 192 bytes",
     "the hash must be the commitment's, z and y below the group's order, commitment and proof points of the group, "
     "and "
     "the proof must hold"},
    {0x0b, 256, false, false, "the input must be two points of 128 bytes",
     "coordinates must be 16 zero bytes and a number below the field's modulus, points on the curve"},
    {0x0c, 160, true, false, "the input must be one or more points of 128 bytes, each with 32 bytes of scalar",
     "coordinates must be 16 zero bytes and a number below the field's modulus, points on the curve and in the "
     "subgroup"},
    {0x0d, 512, false, false, "the input must be two points of 256 bytes",
     "coordinates must be 16 zero bytes and a number below the field's modulus, points on the curve"},
    {0x0e, 288, true, false, "the input must be one or more points of 256 bytes, each with 32 bytes of scalar",
     "coordinates must be 16 zero bytes and a number below the field's modulus, points on the curve and in the "
     "subgroup"},
    {0x0f, 384, true, false, "the input must be one or more pairs of points of 128 and 256 bytes",
     "coordinates must be 16 zero bytes and a number below the field's modulus, points on their curve and in the "
     "subgroup"},
    {0x10, 64, false, false, "the input must be 64 bytes",
     "the input must be 16 zero bytes and a number below the field's modulus"},
    {0x11, 128, false, false, "the input must be 128 bytes",
     "the input must be twice 16 zero bytes and a number below the field's modulus"},
};

const char *cevm_precompile_rule(const cevm_precompile *contract, size_t size)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; ++i) {
        const input_rule *r = &rules[i];
        if (r->address == contract->address) {
            const bool fits =
                r->unit == 0 || (r->many ? size % r->unit == 0 && (size != 0 || r->may_be_empty) : size == r->unit);
            return fits ? r->content : r->length;
        }
    }
    return "the input is refused";
}

const cevm_precompile *cevm_precompile_by_name(const cevm_precompile_options *o, const char *text)
{
    size_t count = 0;
    const cevm_precompile *rows = cevm_precompiles(&count);
    char *end = NULL;
    const bool hex = strncasecmp(text, "0x", 2) == 0;
    const unsigned long long number = strtoull(text, &end, hex ? 16 : 10);
    const bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0';
    for (size_t i = 0; i < count; ++i) {
        if (is_number ? number == rows[i].address : strcasecmp(text, rows[i].name) == 0) {
            return &rows[i];
        }
    }
    (void)fprintf(stderr, "%s: no precompiled contract is called \"%s\" or lies there", o->command, text);
    const char *near = cevm_nearest_name(text, &rows[0].name, sizeof rows[0], count);
    if (near != NULL && !is_number) {
        (void)fprintf(stderr, "; did you mean \"%s\"?", near);
    }
    (void)fprintf(stderr, "\n(%s --list shows them)\n", o->command);
    return NULL;
}

bool cevm_precompile_run(cevm_precompile_call *out, const cevm_precompile_options *o, const cevm_precompile *contract,
                         cevm_fork fork, cevm_bytes input)
{
    const cevm_precompile_cost cost = contract->cost(input, fork);
    *out = (cevm_precompile_call){.gas = cost.gas};
    out->output.data = malloc(cost.output_size + 1);
    void *scratch = malloc(cost.scratch_size + 1);
    if (out->output.data == NULL || scratch == NULL) {
        (void)fprintf(stderr, "%s: out of memory\n", o->command);
        free(scratch);
        cevm_blob_free(&out->output);
        return false;
    }
    out->status = contract->run(out->output.data, &out->output.size, input, fork, scratch);
    free(scratch);
    if (out->status != CEVM_PRECOMPILE_OK) {
        cevm_blob_free(&out->output);
    }
    return true;
}

static void list(void)
{
    size_t count = 0;
    const cevm_precompile *rows = cevm_precompiles(&count);
    (void)printf("%-8s%-22s%-16s%s\n", "address", "name", "since", "EIP");
    for (size_t i = 0; i < count; ++i) {
        char eip[16] = "-";
        if (rows[i].eip != 0) {
            (void)snprintf(eip, sizeof eip, "%" PRIu32, rows[i].eip);
        }
        (void)printf("0x%-6x%-22s%-16s%s\n", rows[i].address, rows[i].name, cevm_fork_name(rows[i].since), eip);
    }
}

static void print_hex(cevm_bytes bytes)
{
    (void)printf("0x");
    for (size_t i = 0; i < bytes.size; ++i) {
        (void)printf("%02x", bytes.data[i]);
    }
}

/* Why there is no output; NULL when there is. */
static const char *failure(const cevm_precompile *contract, const cevm_precompile_call *call, size_t size)
{
    switch (call->status) {
    case CEVM_PRECOMPILE_OK: return NULL;
    case CEVM_PRECOMPILE_FAIL: return cevm_precompile_rule(contract, size);
    case CEVM_PRECOMPILE_NOT_BUILT: return "this build does not hold the contract";
    case CEVM_PRECOMPILE_NOMEM:
    default: return "the call takes more memory than there is";
    }
}

static int report(const cevm_precompile_options *o, const cevm_precompile *contract, const cevm_precompile_call *call,
                  size_t size)
{
    const char *reason = failure(contract, call, size);
    const bool refused = call->status == CEVM_PRECOMPILE_FAIL;
    if (o->json) {
        (void)printf("{\"name\":\"%s\",\"address\":\"0x%x\",\"gas\":\"0x%" PRIx64 "\",", contract->name,
                     contract->address, call->gas);
        if (reason == NULL) {
            (void)printf("\"output\":\"");
            print_hex((cevm_bytes){call->output.data, call->output.size});
            (void)printf("\"}\n");
        } else {
            (void)printf("\"error\":\"%s\",\"eip\":%" PRIu32 "}\n", reason, contract->eip);
        }
    } else if (reason == NULL) {
        (void)printf("output  ");
        print_hex((cevm_bytes){call->output.data, call->output.size});
        (void)printf("\ngas     %" PRIu64 "\n", call->gas);
    } else {
        (void)printf("gas     %" PRIu64 "%s\n", call->gas, refused ? ", and all that was sent along" : "");
        (void)fprintf(stderr, "%s: %s fails", o->command, contract->name);
        if (refused && contract->eip != 0) {
            (void)fprintf(stderr, " (EIP-%" PRIu32 ")", contract->eip);
        }
        (void)fprintf(stderr, ": %s\n", reason);
    }
    return reason == NULL ? CEVM_EXIT_OK : CEVM_EXIT_FAILURE;
}

/* INPUT: hex, "-" or @FILE, of hex. */
static bool load_input(cevm_blob *out, const cevm_precompile_options *o, const char *text)
{
    if (strcmp(text, "-") != 0 && text[0] != '@') {
        return cevm_parse_hex(out, o->command, "INPUT", text, strlen(text));
    }
    const char *path = text[0] == '@' ? text + 1 : text;
    cevm_blob file;
    if (!cevm_read_file(&file, o->command, path)) {
        return false;
    }
    const bool ok = cevm_parse_hex(out, o->command, path, (const char *)file.data, file.size);
    cevm_blob_free(&file);
    return ok;
}

static int call_one(const cevm_precompile_options *o, const char *input_text)
{
    cevm_fork fork = CEVM_LATEST;
    if (o->fork != NULL && !cevm_fork_by_name(&fork, o->fork)) {
        (void)fprintf(stderr, "%s: no fork is called \"%s\" (cevm version lists them)\n", o->command, o->fork);
        return CEVM_EXIT_USAGE;
    }
    const cevm_precompile *contract = cevm_precompile_by_name(o, o->name);
    if (contract == NULL) {
        return CEVM_EXIT_USAGE;
    }
    if (fork < contract->since) {
        (void)fprintf(stderr, "%s: %s is there from %s on; at %s its address is an ordinary account\n", o->command,
                      contract->name, cevm_fork_name(contract->since), cevm_fork_name(fork));
        return CEVM_EXIT_FAILURE;
    }
    cevm_blob input;
    cevm_precompile_call call;
    if (!load_input(&input, o, input_text)) {
        return CEVM_EXIT_FAILURE;
    }
    int code = CEVM_EXIT_FAILURE;
    if (cevm_precompile_run(&call, o, contract, fork, (cevm_bytes){input.data, input.size})) {
        code = report(o, contract, &call, input.size);
        cevm_blob_free(&call.output);
    }
    cevm_blob_free(&input);
    return code;
}

int cevm_cmd_precompile(const cevm_cli *cli, int argc, char **argv)
{
    char command[32];
    cevm_arguments arguments;
    cevm_precompile_options o = {.command = command};
    const cevm_option table[] = {
        {"fork", CEVM_OPTION_TEXT, (void *)&o.fork}, {"vectors", CEVM_OPTION_TEXT, (void *)&o.vectors},
        {"json", CEVM_OPTION_SWITCH, &o.json},       {"list", CEVM_OPTION_SWITCH, &o.list},
        {"bench", CEVM_OPTION_SWITCH, &o.bench},     {NULL, CEVM_OPTION_SWITCH, NULL},
    };
    (void)snprintf(command, sizeof command, "%s precompile", cli->program);
    if (!cevm_options_parse(&arguments, table, command, argc, argv)) {
        return CEVM_EXIT_USAGE;
    }
    if (arguments.help) {
        cevm_help_precompile(stdout, cli);
        return CEVM_EXIT_OK;
    }
    const size_t most = o.list ? 0 : o.vectors != NULL ? 1 : 2;
    const size_t least = o.list || o.vectors != NULL ? 0 : 2;
    if (arguments.count < least || arguments.count > most) {
        (void)fprintf(stderr,
                      "%s: wants a contract and its input, or --vectors FILE, or --list\n(%s --help explains)\n",
                      command, command);
        return CEVM_EXIT_USAGE;
    }
    o.name = arguments.count != 0 ? arguments.items[0] : NULL;
    if (o.list) {
        list();
        return CEVM_EXIT_OK;
    }
    return o.vectors != NULL ? cevm_precompile_vectors(&o) : call_one(&o, arguments.items[1]);
}
