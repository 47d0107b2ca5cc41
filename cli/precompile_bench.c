/* SPDX-License-Identifier: Apache-2.0 */
/* cevm precompile --vectors FILE --bench: how long each case takes, and what gas per second that is. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "cli/precompile.h"

/* Processor time of this thread: what others do on the machine counts less than in wall time. */
static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds of one call: the best of several runs, each long enough for the clock. */
static double measure(const cevm_precompile *contract, cevm_fork fork, cevm_bytes input, uint8_t *output, void *scratch)
{
    enum { RUNS = 5 };
    const double shortest_ns = 4e6;
    double best = 0;
    uint64_t calls = 1;
    for (int i = 0; i < RUNS;) {
        size_t size = 0;
        const double start = now_ns();
        for (uint64_t n = 0; n < calls; ++n) {
            (void)contract->run(output, &size, input, fork, scratch);
        }
        const double took = now_ns() - start;
        if (took < shortest_ns) {
            calls *= took < shortest_ns / 16 ? 8 : 2;
            continue;
        }
        const double each = took / (double)calls;
        best = i == 0 || each < best ? each : best;
        ++i;
    }
    return best;
}

bool cevm_precompile_bench(cevm_precompile_time *out, const cevm_precompile_options *o, const cevm_precompile *contract,
                           cevm_fork fork, cevm_bytes input)
{
    const cevm_precompile_cost cost = contract->cost(input, fork);
    uint8_t *output = malloc(cost.output_size + 1);
    void *scratch = malloc(cost.scratch_size + 1);
    const bool ok = output != NULL && scratch != NULL;
    if (ok) {
        out->gas = cost.gas;
        out->ns = measure(contract, fork, input, output, scratch);
        out->mgas = out->ns > 0 ? (double)cost.gas * 1e3 / out->ns : 0;
    } else {
        (void)fprintf(stderr, "%s: out of memory\n", o->command);
    }
    free(scratch);
    free(output);
    return ok;
}
