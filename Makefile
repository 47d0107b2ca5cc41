# Interim Makefile: library, program and unit tests. `make help` is coming.
CC ?= cc
BUILD ?= build
WARN := -std=c17 -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wconversion -Wsign-conversion -Wcast-align -Wcast-qual \
 -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wredundant-decls -Wvla \
 -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum -Wnull-dereference -fno-common -fvisibility=hidden
CFLAGS ?= -O2 -g
ALL_CFLAGS := $(WARN) $(CFLAGS) -D_GNU_SOURCE -Iinclude -I. -pthread
LIB_SRC := $(wildcard precompiles/*.c precompiles/crypto/*.c evm/*.c state/*.c chain/*.c trace/*.c)
CLI_SRC := $(wildcard cli/*.c ethereum-tests/*.c)
TEST_SRC := $(wildcard tests/unit/*.c tests/property/*.c tests/oom/*.c)
LIBS := -lgmp -lsecp256k1 -lcrypto -lm
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/%.o)
TESTS := $(TEST_SRC:%.c=$(BUILD)/%)
all: $(BUILD)/libcevm.a $(BUILD)/cevm
lib: $(BUILD)/libcevm.a
tests: $(TESTS)
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/libcevm.a: $(LIB_OBJ)
	rm -f $@; ar rcs $@ $^
$(BUILD)/cevm: $(CLI_OBJ) $(BUILD)/libcevm.a
	$(CC) $(ALL_CFLAGS) $^ -o $@ -ljansson $(LIBS)
$(BUILD)/tests/%: tests/%.c $(BUILD)/libcevm.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP $< $(BUILD)/libcevm.a -o $@ -lcmocka -ljansson $(LIBS)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
