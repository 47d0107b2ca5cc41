// SPDX-License-Identifier: Apache-2.0
//
// Three functions more for a build of evmone, so that the harness can time what evmone's own bench calls "execute": a run
// on code that was analysed before. bench/evmc_peer.h says what they do; bench/peers/evmone.sh builds them in.
#include <evmone/baseline.hpp>
#include <evmone/vm.hpp>

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void* bench_analyse(const uint8_t* code, size_t size)
{
    return new evmone::baseline::CodeAnalysis{evmone::baseline::analyze({code, size})};
}

EXPORT void bench_release(void* analysis)
{
    delete static_cast<evmone::baseline::CodeAnalysis*>(analysis);
}

EXPORT evmc_result bench_execute(evmc_vm* vm, const evmc_host_interface* host, evmc_host_context* context,
    evmc_revision revision, const evmc_message* message, void* analysis)
{
    return evmone::baseline::execute(*static_cast<evmone::VM*>(vm), *host, context, revision, *message,
        *static_cast<const evmone::baseline::CodeAnalysis*>(analysis));
}
