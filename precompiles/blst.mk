# SPDX-License-Identifier: Apache-2.0
# blst, under the contracts 0x0a to 0x11; the Makefile includes this. BLST says which: `system` (its header and -lblst),
# `package` (built by precompiles/blst.sh into libcevm.a), `none` (those contracts are then not built), or `auto`.
#
# Gives BLST_CFLAGS, BLST_LIBS, and BLST_OBJ, which goes into libcevm.a.

BLST ?= auto
ifeq ($(BLST),auto)
override BLST := $(shell CC='$(CC)' precompiles/blst.sh which)
endif

BLST_USERS := $(BUILD)/obj/precompiles/bls12_381.o $(BUILD)/obj/precompiles/bls12_381_g1.o $(BUILD)/obj/precompiles/bls12_381_g2.o \
 $(BUILD)/obj/precompiles/bls12_381_pairing.o $(BUILD)/obj/precompiles/point_evaluation.o $(BUILD)/obj/precompiles/kzg_lines.o \
 $(BUILD)/obj/rpc/blob_cells.o \
 $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard precompiles/crypto/bls12_*.c))
BLST_OBJ :=
BLST_LIBS :=
ifeq ($(BLST),none)
BLST_CFLAGS := -DCEVM_NO_BLST
else ifeq ($(BLST),system)
BLST_CFLAGS := -DCEVM_SYSTEM_BLST
BLST_LIBS := -lblst
else ifeq ($(BLST),package)
BLST_FOLDER := $(BUILD)/blst
BLST_CFLAGS := -isystem third_party/blst/bindings -isystem $(BLST_FOLDER)
BLST_OBJ := $(BLST_FOLDER)/blst.o

$(BLST_OBJ): precompiles/blst.sh precompiles/blst.lock
	$(call say,BLST,$@)CC='$(CC)' precompiles/blst.sh build $(BLST_FOLDER)

$(BLST_USERS): $(BLST_OBJ)
else
$(error BLST=$(BLST) is none of auto, system, package, none)
endif
