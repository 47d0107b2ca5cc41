/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/dispatch.h: how a handler of an engine goes to the next one, for compilers of two kinds.
 *
 * With clang each handler is a function that ends in a tail call, so that there is no dispatch for the compiler to merge.
 * With other compilers all handlers of an engine are in one function and go on by a computed goto. CEVM_DISPATCH_GOTO asks
 * for that with any compiler. An engine writes its handlers once, as
 *
 *     HANDLER(name) { … NEXT(n); }        and rarely taken ways as   SLOW(name) { … NEXT(n); }
 *
 * having said in CEVM_PARAMETERS and CEVM_ARGUMENTS what they hand on, of which `ip` is one.
 */
#ifndef CEVM_EVM_DISPATCH_H
#define CEVM_EVM_DISPATCH_H

#if defined(__clang__) && !defined(CEVM_DISPATCH_GOTO)
#define CEVM_DISPATCH_CALLS 1
#else
#define CEVM_DISPATCH_CALLS 0
#endif

/*
 * A handler has no registers to keep for its caller, and where the compiler can be told so it need not save any. What
 * AddressSanitizer does with local variables is at odds with it.
 */
#define CEVM_HANDLER_CALL
#if CEVM_DISPATCH_CALLS && defined(__x86_64__)
#if __has_attribute(preserve_none) && !__has_feature(address_sanitizer)
#undef CEVM_HANDLER_CALL
#define CEVM_HANDLER_CALL __attribute__((preserve_none))
#endif
#endif

/* Labels as values are an extension of the language. */
#pragma GCC diagnostic ignored "-Wpedantic"

#define LIKELY(x)   __builtin_expect((x), 1)
#define UNLIKELY(x) __builtin_expect((x), 0)

#if CEVM_DISPATCH_CALLS
#define HANDLER(name)  CEVM_HANDLER_CALL static int run_##name(CEVM_PARAMETERS)
#define SLOW(name)     __attribute__((noinline)) HANDLER(SLOW_##name)
#define GO_TO(handler) __attribute__((musttail)) return (handler).call(CEVM_ARGUMENTS)
#define GO_SLOW(name)  __attribute__((musttail)) return run_SLOW_##name(CEVM_ARGUMENTS)
#define HANDLER_OF(name)   \
    {                      \
        .call = run_##name \
    }
#else
#define HANDLER(name)  L_##name:
#define SLOW(name)     L_SLOW_##name:
#define GO_TO(handler) goto *(handler).label
#define GO_SLOW(name)  goto L_SLOW_##name
#define HANDLER_OF(name)    \
    {                       \
        .label = &&L_##name \
    }
#endif

#endif
