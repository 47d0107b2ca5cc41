# SPDX-License-Identifier: Apache-2.0
# cevm: `make run` shows it work, `make check` proves it, `make help` lists the rest.
#
# Variables: BUILD (where everything is built), CC, CFLAGS, WERROR=1, JOBS, PREFIX, DESTDIR, NO_INSTALL=1.

VERSION := $(shell sed -n 's/^.define CEVM_VERSION_STRING "\(.*\)"/\1/p' evm/errors.c)
BUILD ?= build
CC ?= cc
AR ?= ar
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 1)
FUZZ_SECONDS ?= 8
# Any clang will do for the fuzzers and the checks; the newest that is installed is taken.
CLANG ?= $(firstword $(foreach c,clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 clang,$(shell command -v $(c) 2>/dev/null)))
CLANG_FORMAT ?= clang-format-14
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := all

# ---- What is built from what -------------------------------------------------------------------------------------

LIB_SRC := $(sort $(wildcard precompiles/*.c precompiles/crypto/*.c evm/*.c state/*.c chain/*.c trace/*.c))
APP_SRC := $(sort $(wildcard cli/*.c ethereum-tests/*.c rpc/*.c))
BENCH_SRC := $(sort $(filter-out bench/root.c bench/lmdb.c bench/sequences.c,$(wildcard bench/*.c)))
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
PROPERTY_SRC := $(sort $(wildcard tests/property/*.c))
OOM_SRC := $(sort $(wildcard tests/oom/*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/*.c))
CLI_TESTS := $(sort $(wildcard tests/cli/*.sh))
HOUSE_TESTS := $(sort $(wildcard tests/check/*.sh))
SOURCES := $(sort $(wildcard include/cevm/*.h */*.[ch] precompiles/crypto/*.[ch] evm/evmc/*.[ch] docs/*/*.[ch] tests/*/*.[ch]))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wconversion -Wsign-conversion -Wcast-align -Wcast-qual \
 -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wredundant-decls -Wvla \
 -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum -Wnull-dereference
WARN_gcc := -Wlogical-op -Wduplicated-cond -Wduplicated-branches
WARN_clang := -Wconditional-uninitialized -Wunreachable-code -Wcomma -Wshorten-64-to-32
COMPILER := $(if $(findstring clang,$(shell $(CC) --version 2>/dev/null)),clang,gcc)
ALL_CFLAGS = -std=c17 $(WARN) $(WARN_$(COMPILER)) $(if $(WERROR),-Werror) -fno-common -fvisibility=hidden -pthread \
 -D_GNU_SOURCE -Iinclude -I. $(BLST_CFLAGS) $(CFLAGS)
include precompiles/blst.mk
LIBS := -ljansson -llmdb -lgmp -lsecp256k1 -lcrypto $(BLST_LIBS) -lm

LIB := $(BUILD)/libcevm.a
# The number changes when a program linked with an older library would not run with this one.
SOVERSION := 0
SHARED := $(BUILD)/libcevm.so.$(VERSION)
APP := $(BUILD)/libapp.a
EVMC := $(BUILD)/libcevm-evmc12.so $(BUILD)/libcevm-evmc18.so
EVMC_OBJ := $(BUILD)/obj/evm/evmc/adapter.o $(BUILD)/obj/evm/evmc/host.o
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/obj/%.o)
APP_OBJ := $(APP_SRC:%.c=$(BUILD)/obj/%.o)
BENCH_OBJ := $(BENCH_SRC:%.c=$(BUILD)/obj/%.o)
UNIT := $(UNIT_SRC:%.c=$(BUILD)/%)
PROPERTY := $(PROPERTY_SRC:%.c=$(BUILD)/%)
OOM := $(OOM_SRC:%.c=$(BUILD)/%)
FUZZ := $(FUZZ_SRC:%.c=$(BUILD)/%)
IO_RUNNER := $(BUILD)/tests/rpc/execution_apis
TEST_DEPS := $(foreach t,$(IO_RUNNER) $(UNIT) $(PROPERTY) $(OOM) $(FUZZ),$(t).d)

# A 256-bit word is four numbers of 64 bits. Moved as one or two vectors, it makes a load wait for the stores before it, so
# where the interpreter's time goes the compiler is kept from vectors.
SCALAR := $(if $(filter x86_64%,$(shell $(CC) -dumpmachine 2>/dev/null)),-mgeneral-regs-only)
$(addprefix $(BUILD)/obj/evm/,block.o decode.o decode_op.o exact_plain.o keccak_memo.o section.o u256.o): EXTRA = $(SCALAR)

# A handler is a few instructions and a jump: each begins a line of the cache, or loops of the cheapest opcodes take up to 1.4
# times as long in one build as in the next, by where the linker happened to put them. With gcc handlers are labels that are only
# jumped to (evm/dispatch.h), and it takes so many of them for rarely used that the threshold for that has to go.
ALIGNED := -falign-functions=64 $(if $(filter gcc,$(COMPILER)),-falign-jumps=64 --param align-threshold=65536)
$(addprefix $(BUILD)/obj/evm/,block.o exact.o exact_plain.o): EXTRA += $(ALIGNED)

# Everything is built again when the compiler or its flags change; FLAGS is touched only then. What a target adds to its
# flags must not be in it: the rule sees the variables of the target that asks first, now one and now another.
FLAGS := $(BUILD)/flags
FLAGS_NOW := $(CC) $(ALL_CFLAGS)
.PHONY: FORCE
FORCE:
$(FLAGS): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS_NOW)' | cmp -s - $@ || printf '%s\n' '$(FLAGS_NOW)' > $@

# `make V=1` shows whole command lines.
say = $(if $(V),,@printf '  %-4s %s\n' '$(1)' '$(2)';)

$(BUILD)/obj/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $(EXTRA) -MMD -MP -c $< -o $@

$(LIB): $(LIB_OBJ) $(BLST_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# One set of objects for both libraries; the shared one calls its own functions directly.
$(LIB_OBJ) $(EVMC_OBJ) $(EVMC:$(BUILD)/libcevm-%.so=$(BUILD)/obj/evm/evmc/%.o): ALL_CFLAGS += -fPIC -fno-semantic-interposition

$(SHARED): $(LIB_OBJ) $(BLST_OBJ) include/libcevm.map
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libcevm.so.$(SOVERSION) -Wl,-Bsymbolic -Wl,-z,defs -Wl,-z,now \
	 -Wl,--version-script=include/libcevm.map $(LIB_OBJ) $(BLST_OBJ) -o $@ $(LIBS)
	@ln -sf $(@F) $(BUILD)/libcevm.so.$(SOVERSION)
	@ln -sf libcevm.so.$(SOVERSION) $(BUILD)/libcevm.so

# The library as machines of EVMC's two ABIs, complete in themselves: their hosts load them by name.
$(BUILD)/libcevm-evmc%.so: $(EVMC_OBJ) $(BUILD)/obj/evm/evmc/evmc%.o $(LIB) evm/evmc/evmc.map
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(@F) -Wl,-Bsymbolic -Wl,-z,defs -Wl,-z,now \
	 -Wl,--as-needed -Wl,--version-script=evm/evmc/evmc.map $(filter %.o %.a,$^) -o $@ $(LIBS)

$(APP): $(filter-out $(BUILD)/obj/cli/main.o,$(APP_OBJ))
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/cevm: $(BUILD)/obj/cli/main.o $(APP) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBS)

$(BUILD)/cevm-bench: $(BENCH_OBJ) $(APP) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBS) -ldl

$(BUILD)/cevm-bench-root: $(BUILD)/obj/bench/root.o $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBS)

$(BUILD)/cevm-bench-lmdb: $(BUILD)/obj/bench/lmdb.o $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBS)

$(BUILD)/cevm-bench-sequences: $(addprefix $(BUILD)/obj/bench/,sequences.o programs.o stage.o) $(APP) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBS)

# The same program under the name that fuzzers and test fillers look for.
$(BUILD)/evm: $(BUILD)/cevm
	@ln -sf cevm $@

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(APP) $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d -MT $@ $< $(APP) $(LIB) -o $@ $(LIBS)

# What takes long in a test is the library's part of it; only property tests gain from an optimiser of their own.
$(BUILD)/tests/%: tests/%.c $(APP) $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(if $(filter $(PROPERTY),$@),,-O0) -MMD -MP -MF $@.d -MT $@ $< $(APP) $(LIB) \
	 -o $@ -lcmocka $(LIBS)

# It loads them.
$(BUILD)/tests/unit/test_evmc: $(EVMC)

# It has both in it, with memory that runs out: EVMC has no allocators.
OOM_EVMC := $(EVMC_OBJ) $(BUILD)/obj/evm/evmc/evmc12.o $(BUILD)/obj/evm/evmc/evmc18.o
$(BUILD)/tests/oom/test_oom_evmc: tests/oom/test_oom_evmc.c $(OOM_EVMC) $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -Wl,--wrap=realloc,--wrap=free,--allow-multiple-definition -MMD -MP -MF $@.d -MT $@ \
	 $< $(OOM_EVMC) $(LIB) -o $@ -lcmocka $(LIBS)

# The program with every message going through one of them.
EVMC_HOST := $(addprefix $(BUILD)/obj/,tests/evmc/through_evmc.o bench/evmc_host.o bench/evmc_peer12.o bench/evmc_peer18.o)
$(BUILD)/through-evmc: $(EVMC_HOST) $(BUILD)/obj/cli/main.o $(APP) $(LIB)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -Wl,--wrap=cevm_vm_execute $^ -o $@ $(LIBS) -ldl

.SECONDARY: $(BUILD)/obj/docs/opcodes.o $(BUILD)/obj/docs/rpc.o
-include $(wildcard $(BUILD)/obj/docs/*.d) $(LIB_OBJ:.o=.d) $(wildcard $(BUILD)/obj/evm/evmc/*.d) $(EVMC_HOST:.o=.d) $(APP_OBJ:.o=.d) $(BENCH_OBJ:.o=.d) $(TEST_DEPS)

.PHONY: help all lib programs test-programs run check check-steps test test-house test-unit test-property test-oom test-cli test-spec \
 test-embed test-evmc test-clients test-rpc asan memcheck tsan portable clang warnings fuzz test-fuzz coverage tidy format format-check bench where install \
 uninstall clean distclean deps vectors docs diff diff-t8n bench-precompiles \
 bench-corpus bench-root bench-lmdb bench-sequences bench-peers bench-contracts bench-workloads

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# ---- Build and run -----------------------------------------------------------------------------------------------

all: $(LIB) $(SHARED) $(EVMC) $(BUILD)/cevm $(BUILD)/evm ## Build the libraries and the program
lib: $(LIB) ## Build build/libcevm.a alone
test-programs: $(UNIT) $(PROPERTY)
programs: all $(BUILD)/cevm-bench $(BUILD)/cevm-bench-sequences $(BUILD)/through-evmc $(IO_RUNNER) $(UNIT) $(PROPERTY) $(OOM)

run: ## Install what is missing, build, trace a contract call, run an official state test
	@.ci/setup.sh run
	@$(MAKE) -j$(JOBS) all
	@docs/examples/run.sh $(BUILD)/cevm

deps: ## Install what building and testing take (Debian, Ubuntu)
	@.ci/setup.sh check

vectors: ## Find or download, verify and unpack the official test vectors
	@ethereum-tests/fetch.sh

# ---- Tests -------------------------------------------------------------------------------------------------------

RUN := BUILD=$(BUILD) CC='$(CC)' JOBS=$(JOBS) tests/run.sh

check: ## Install what is missing, then run every test
	@.ci/setup.sh check
	@BUILD=$(BUILD) JOBS=$(JOBS) tests/check.sh

test: test-house test-unit test-property test-oom test-cli test-embed test-evmc ## The quick tests: no vectors, no sanitizers

test-house: $(LIB) $(BUILD)/docs/opcodes $(BUILD)/docs/rpc ## The house rules: folders, tables, names, sizes, format
	@$(RUN) $(FLAVOUR)house $(HOUSE_TESTS)

test-unit: $(UNIT) ## Unit tests
	@$(RUN) $(FLAVOUR)unit $(UNIT)

test-property: $(PROPERTY) ## Property tests (SEED=n replays one)
	@$(RUN) $(FLAVOUR)property $(PROPERTY)

test-oom: $(OOM) ## Every allocation of a transaction fails in turn
	@$(RUN) $(FLAVOUR)oom $(OOM)

test-cli: all $(BUILD)/cevm-bench ## The program as its users and fuzzers drive it
	@$(RUN) $(FLAVOUR)cli $(CLI_TESTS)

test-embed: all ## Install into a staging folder; build and run the examples of README.md and docs/embedding from there
	@$(RUN) $(FLAVOUR)embed tests/embed/embed.sh

test-evmc: all $(BUILD)/through-evmc ## State tests through the machines for EVMC (EVMC_ALL=1: all of them)
	@$(RUN) $(FLAVOUR)evmc tests/evmc/evmc.sh

test-clients: all ## Real clients against cevm node: ethers, viem, web3.js (npm packages)
	@$(RUN) $(FLAVOUR)clients tests/rpc/clients.sh

test-rpc: all ## All of them, Foundry and Hardhat too, beside anvil (half a gigabyte of npm packages)
	@BUILD=$(BUILD) tests/rpc/clients.sh --all

test-spec: all $(IO_RUNNER) $(BUILD)/tests/unit/test_geth_tracers ## All official state tests, VM tests and blockchain tests
	@BUILD=$(BUILD) JOBS=$(JOBS) FLAVOUR=$(FLAVOUR) tests/spec.sh $(SPEC_ARGS)

SANITIZE := -fno-sanitize-recover=all -fno-omit-frame-pointer -g
asan: ## Unit tests and a sample of the vectors under AddressSanitizer and UBSan
	@$(MAKE) BUILD=$(BUILD)/asan FLAVOUR=asan- CFLAGS='-O1 -fsanitize=address,undefined $(SANITIZE)' \
	 -j$(JOBS) programs
	@$(MAKE) BUILD=$(BUILD)/asan FLAVOUR=asan- CFLAGS='-O1 -fsanitize=address,undefined $(SANITIZE)' \
	 SPEC_ARGS=--sample -k test-unit test-oom test-spec

tsan: ## Many VMs on threads, and parallel state tests, under ThreadSanitizer
	@$(MAKE) BUILD=$(BUILD)/tsan FLAVOUR=tsan- CFLAGS='-O1 -fsanitize=thread $(SANITIZE)' SPEC_ARGS=--sample \
	 UNIT_SRC='tests/unit/test_tenants.c tests/unit/test_node.c tests/unit/test_node_threads.c tests/unit/test_node_mine.c tests/unit/test_evmc.c tests/unit/test_treedb.c' -j$(JOBS) -k test-unit test-evmc test-spec

# In place of MemorySanitizer, which would need every library built anew.
memcheck: $(UNIT) $(OOM) ## Unit and allocation-failure tests under valgrind (uninitialised memory)
	@command -v valgrind > /dev/null || { echo 'make memcheck needs valgrind (apt: valgrind)'; exit 1; }
	@RUNNER='valgrind -q --error-exitcode=99 --leak-check=full' $(RUN) memcheck $(UNIT) $(OOM)

portable: ## Unit and property tests of a build without intrinsics and __int128
	@$(MAKE) BUILD=$(BUILD)/portable FLAVOUR=portable- CFLAGS='-O1 -DCEVM_PORTABLE' -j$(JOBS) test-programs
	@$(MAKE) BUILD=$(BUILD)/portable FLAVOUR=portable- CFLAGS='-O1 -DCEVM_PORTABLE' -k test-unit test-property

clang: ## Build everything with clang, warnings as errors (they do not depend on -O)
	@$(MAKE) BUILD=$(BUILD)/clang CC='$(CLANG)' CFLAGS=-O0 WERROR=1 -j$(JOBS) programs

warnings: ## Build with every gcc and clang installed, warnings as errors
	@for cc in gcc gcc-12 clang-14 clang-16 clang-19; do \
	 command -v $$cc > /dev/null || continue; echo "== $$cc"; \
	 $(MAKE) BUILD=$(BUILD)/warn-$$cc CC=$$cc CFLAGS='$(CFLAGS)' WERROR=1 -j$(JOBS) programs || exit 1; done

FUZZ_FLAGS := -O1 -fsanitize=fuzzer-no-link,address,undefined $(SANITIZE)
fuzz: ## Fuzz without end (T=name for one target, FUZZ_SECONDS bounds each)
	@$(MAKE) BUILD=$(BUILD)/fuzz CC='$(CLANG)' CFLAGS='$(FUZZ_FLAGS)' -j$(JOBS) fuzz-programs
	@BUILD=$(BUILD)/fuzz FUZZ_SECONDS=$(if $(filter command environment,$(origin FUZZ_SECONDS)),$(FUZZ_SECONDS),0) \
	 tests/fuzz.sh $(if $(T),$(BUILD)/fuzz/tests/fuzz/$(T),$(FUZZ_SRC:%.c=$(BUILD)/fuzz/%))

test-fuzz: ## Fuzz each target for FUZZ_SECONDS (8)
	@$(MAKE) BUILD=$(BUILD)/fuzz CC='$(CLANG)' CFLAGS='$(FUZZ_FLAGS)' -j$(JOBS) fuzz-programs
	@BUILD=$(BUILD)/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run.sh fuzz $(FUZZ_SRC:%.c=$(BUILD)/fuzz/%)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ)

coverage: ## Line coverage of the unit, property and allocation-failure tests, by folder
	@$(MAKE) BUILD=$(BUILD)/coverage CFLAGS='-O0 -g --coverage' -j$(JOBS) programs
	@find $(BUILD)/coverage -name '*.gcda' -delete
	-@$(MAKE) BUILD=$(BUILD)/coverage FLAVOUR=coverage- CFLAGS='-O0 -g --coverage' -k test-unit test-property test-oom
	@BUILD=$(BUILD)/coverage tests/coverage.sh $(LIB_SRC)

tidy: ## Static analysis with clang (prints findings, some of them false)
	@test -n '$(CLANG)' || { echo 'make tidy needs clang (apt: clang-14)'; exit 1; }
	@for f in $(LIB_SRC) $(APP_SRC); do echo "  $$f"; \
	 $(CLANG) --analyze --analyzer-output text -std=c17 -D_GNU_SOURCE -Iinclude -I. $(BLST_CFLAGS) $$f \
	 -o /dev/null || exit 1; done

bench-precompiles: all ## Time and gas a second of each precompiled contract, on the vectors
	@BUILD=$(BUILD) bench/precompiles.sh

diff: $(BUILD)/cevm ## Random state tests against another EVM: make diff PEER=path/to/evm [DIFF='--rounds 10']
	@test -n '$(PEER)' || { echo 'make diff PEER=path/to/evm, a program with the command line of geth'"'"'s evm'; exit 1; }
	@tests/diff/diff.py --cevm $(BUILD)/cevm --peer '$(PEER)' $(DIFF)

diff-t8n: $(BUILD)/cevm ## Random blocks through t8n against another EVM: make diff-t8n PEER=path/to/evm [DIFF='--count 1000']
	@test -n '$(PEER)' || { echo 'make diff-t8n PEER=path/to/evm, a program with the command line of geth'"'"'s evm'; exit 1; }
	@tests/diff/diff_t8n.py --cevm $(BUILD)/cevm --peer '$(PEER)' $(DIFF)

format: ## Format every source file
	@$(CLANG_FORMAT) -i $(SOURCES)

format-check: ## Say which files are not formatted
	@$(CLANG_FORMAT) --dry-run --Werror $(SOURCES)

# Built as the machines beside it are at their best: by clang, if there is one, and for the processors of today.
BENCH_CC ?= $(or $(CLANG),$(CC))
BENCH_CFLAGS ?= -O3 -g $(shell grep -q ' avx2 .* bmi2 ' /proc/cpuinfo 2> /dev/null && echo -march=x86-64-v3)
bench: ## Time the EVM, beside others: VM='evmone.so …' PEERS=1 JSON=file ARGS='--filter main/' BENCH_CC=gcc BENCH_CFLAGS=-O2
	@$(MAKE) BUILD=$(BUILD)/bench CC='$(BENCH_CC)' CFLAGS='$(BENCH_CFLAGS)' -j$(JOBS) $(BUILD)/bench/cevm-bench
	@bench/fetch.sh || echo '  Going on without them: with the workloads of bench/own alone.'
	@$(BUILD)/bench/cevm-bench $(VM:%=--vm %) $(if $(PEERS),--peer revm=$(BUILD)/peers/bench-revm --peer geth=$(BUILD)/peers/bench-geth) \
	 $(if $(JSON),--json $(JSON)) $(ARGS) bench/own $$(ls -d bench/workloads/*/ 2> /dev/null)

bench-workloads: ## Find or download, verify and unpack the programs to time
	@bench/fetch.sh

bench-contracts: $(BUILD)/cevm ## Compile OpenZeppelin's ERC-20 and take Uniswap from npm: workloads of real swaps
	@BUILD=$(BUILD) bench/contracts/make.sh

bench-peers: ## Build the harnesses of revm (cargo) and geth (go) for make bench PEERS=1
	@BUILD=$(BUILD) bench/peers/build.sh

bench-corpus: all ## Time and memory of the whole state-test run
	@BUILD=$(BUILD) JOBS=$(JOBS) bench/corpus.sh

bench-sequences: $(BUILD)/cevm-bench-sequences ## Which instructions follow each other in real contracts, in pairs and threes
	@$< $$(ls -d bench/own/erc20.json bench/workloads/contracts bench/workloads/uniswap bench/workloads/evm-benchmarks/main 2> /dev/null)

bench-root: $(BUILD)/cevm-bench-root ## What a state root costs after a block
	@$<

bench-lmdb: $(BUILD)/cevm-bench-lmdb ## The store on disk by size: ACCOUNTS='50000 500000'
	@rm -rf $(BUILD)/bench-lmdb && mkdir -p $(BUILD)/bench-lmdb
	@$< $(BUILD)/bench-lmdb/store $(ACCOUNTS)

# ---- Finding things ----------------------------------------------------------------------------------------------

where: ## Where is it? Q=2929 (an EIP), Q=SLOAD (an opcode), Q=any word
	@tests/check/where '$(Q)'

docs: $(BUILD)/docs/opcodes $(BUILD)/docs/rpc ## Write docs/opcodes.md and docs/rpc.md from their tables
	@$(BUILD)/docs/opcodes > docs/opcodes.md
	@$(BUILD)/docs/rpc > docs/rpc.md

$(BUILD)/docs/%: $(BUILD)/obj/docs/%.o $(APP) $(LIB)
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) $^ -o $@ $(LIBS)

# ---- Install and clean -------------------------------------------------------------------------------------------

HEADERS := $(sort $(wildcard include/cevm/*.h include/cevm/*.def))
DEST = $(DESTDIR)$(PREFIX)
SPACE := $(subst ,, )

# Fills in what @…@ stands for in the files of docs/install.
fill = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@SOVERSION@|$(SOVERSION)|'

install: all ## Install program, libraries, headers, pkg-config and CMake files, man pages (PREFIX, DESTDIR)
	@install -d $(DEST)/bin $(DEST)/lib/pkgconfig $(DEST)/lib/cmake/cevm $(DEST)/include/cevm $(DEST)/share/man/man1 \
	 $(DEST)/share/man/man3
	@install -m 755 $(BUILD)/cevm $(DEST)/bin/cevm
	@ln -sf cevm $(DEST)/bin/evm
	@install -m 644 $(LIB) $(DEST)/lib/libcevm.a
	@install -m 644 $(SHARED) $(DEST)/lib/libcevm.so.$(VERSION)
	@ln -sf libcevm.so.$(VERSION) $(DEST)/lib/libcevm.so.$(SOVERSION)
	@ln -sf libcevm.so.$(SOVERSION) $(DEST)/lib/libcevm.so
	@install -m 644 $(EVMC) $(DEST)/lib/
	@install -m 644 $(HEADERS) $(DEST)/include/cevm/
	@$(fill) -e 's|@LIBS@|$(LIBS)|' docs/install/cevm.pc.in > $(DEST)/lib/pkgconfig/cevm.pc
	@$(fill) -e 's|@LIBS@|$(LIBS)|' docs/install/cevm-static.pc.in > $(DEST)/lib/pkgconfig/cevm-static.pc
	@$(fill) -e 's|@LIBS@|$(subst $(SPACE),;,$(strip $(LIBS)))|' docs/install/cevm-config.cmake.in \
	 > $(DEST)/lib/cmake/cevm/cevm-config.cmake
	@$(fill) docs/install/cevm-config-version.cmake.in > $(DEST)/lib/cmake/cevm/cevm-config-version.cmake
	@install -m 644 docs/man/cevm.1 $(DEST)/share/man/man1/cevm.1
	@install -m 644 docs/man/libcevm.3 $(DEST)/share/man/man3/libcevm.3
	@echo "cevm $(VERSION) is in $(DEST)"

uninstall: ## Remove what install put there
	rm -f $(DEST)/bin/cevm $(DEST)/bin/evm $(DEST)/lib/libcevm.a $(DEST)/lib/libcevm.so* $(DEST)/lib/libcevm-evmc*.so $(DEST)/lib/pkgconfig/cevm*.pc \
	 $(DEST)/share/man/man1/cevm.1 $(DEST)/share/man/man3/libcevm.3
	rm -rf $(DEST)/include/cevm $(DEST)/lib/cmake/cevm

clean: ## Remove what was built
	rm -rf $(BUILD)

distclean: clean ## ... and the unpacked vectors, workloads and sources
	rm -rf ethereum-tests/vectors third_party bench/workloads bench/contracts/node_modules
