# SPDX-License-Identifier: GPL-2.0-or-later
#
# One non-recursive makefile. MODE is release (default), debug, asan (address and undefined
# behaviour) or cov; everything goes to build/ (release) or build/MODE/. `make fuzz` builds the fuzz
# targets with clang, to build/fuzz/.
#
# Each room of src/ is one archive. A unit test in tests/unit/ROOM links that room and those in its
# row of the table below, nothing else: an upward call does not link. scripts/check-includes holds
# the same table against the #include lines.

MODE ?= release
B := $(if $(filter release,$(MODE)),build,build/$(MODE))
V ?= 0
Q := $(if $(filter 0,$(V)),@,)

# room: what it may use, nearest first (the order in which archives are linked)
USES_base :=
USES_schema := base
USES_model := schema base
USES_control := model schema base
USES_plan := model schema base
USES_store := model schema base
USES_sys := base
USES_image := sys base
USES_pull := image sys base
USES_net := sys model schema base
USES_shim := base
USES_ask := base
USES_runtime := shim net image sys model schema base
USES_daemon := runtime control plan store shim net image sys model schema base
USES_cli := plan model schema base
ROOMS := base schema model control plan store sys image pull net shim ask runtime daemon cli

# libraries, by the room that needs them
PKG_base := libmd
PKG_schema := yaml-0.1
PKG_store := libzstd jansson
PKG_sys := libnl-3.0 libnl-route-3.0 libnftables libseccomp libcap
PKG_image := zlib libzstd jansson
PKG_pull := libcurl libcrypto jansson
PKG_ask := libssl libcrypto
PKG_daemon := libmicrohttpd jansson
PKG_cli := jansson

CC ?= gcc
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2
CFLAGS_debug := -O0 -g3
CFLAGS_asan := -O1 -g3 -fsanitize=address,undefined -fno-omit-frame-pointer
CFLAGS_cov := -O0 -g3 --coverage
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wpointer-arith \
	-Wwrite-strings -Wundef -Wformat=2 -Wno-format-nonliteral
WERROR := $(if $(CI),-Werror,)
HARDEN := -fstack-protector-strong -fno-strict-aliasing
# libnl's headers are in a folder of their own
PKG_CFLAGS := $(shell pkg-config --cflags libnl-3.0 libnl-route-3.0)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Isrc $(PKG_CFLAGS) $(WARN) $(WERROR) $(HARDEN) $(CFLAGS_$(MODE)) $(CFLAGS)
ALL_LDFLAGS = $(filter -fsanitize% -fno-sanitize% --coverage,$(CFLAGS_$(MODE))) -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

pkg = $(if $(1),$(shell pkg-config --libs $(1)),)
libs_of = $(call pkg,$(strip $(foreach r,$(1),$(PKG_$(r)))))
archives = $(foreach r,$(1),$(B)/$(r).a)

src = $(filter-out src/$(1)/main.c src/$(1)/main_%.c,$(wildcard src/$(1)/*.c))
obj = $(patsubst src/%.c,$(B)/obj/%.o,$(1))

PROGRAMS := $(B)/orchd $(B)/orchctl $(B)/orch-shim $(B)/orch-pull $(B)/orch-ask-http \
	$(B)/orch-ask-grpc
all: $(PROGRAMS) $(B)/orch-probe man

$(B)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	@$(if $(filter 0,$(V)),echo "  CC $<",:)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define room_rule
$(B)/$(1).a: $(call obj,$(call src,$(1)))
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))

$(B)/orchd: $(B)/obj/daemon/main.o $(call archives,daemon $(USES_daemon))
	@$(if $(filter 0,$(V)),echo "  LD $@",:)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -o $@ $(call libs_of,daemon $(USES_daemon))

$(B)/obj/cli/info.o: src/completion/orchctl.bash	# is in it (.incbin)

$(B)/orchctl: $(B)/obj/cli/main.o $(call archives,cli $(USES_cli))
	@$(if $(filter 0,$(V)),echo "  LD $@",:)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -o $@ $(call libs_of,cli $(USES_cli))

# Licences: OpenSSL is here, so libnftables (GPL-2 only) must not be; see the rooms it uses.
$(B)/orch-pull: $(B)/obj/pull/main.o $(call archives,pull $(USES_pull))
	@$(if $(filter 0,$(V)),echo "  LD $@",:)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -o $@ $(filter-out -lnftables,$(call libs_of,pull $(USES_pull)))

# The shim is static, so that a hundred of them share one small text and carry no libraries, and
# never instrumented: it is one process per pod that must work without a runtime.
SHIM_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Isrc $(WARN) $(WERROR) -Os -g -fno-strict-aliasing \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables $(CFLAGS)
SHIM_SRC := $(wildcard src/shim/*.c) $(wildcard src/base/*.c) $(wildcard src/ask/*.c)
SHIM_OBJ := $(patsubst src/%.c,$(B)/obj-shim/%.o,$(SHIM_SRC))
$(B)/obj-shim/%.o: src/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(SHIM_CFLAGS) -MMD -MP -c $< -o $@
$(B)/obj-shim/shim/logs.o: SHIM_CFLAGS += -O2	# its loop over lines is what a busy container waits for
$(B)/shim-base.a: $(filter $(B)/obj-shim/base/%,$(SHIM_OBJ))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(B)/orch-shim: $(filter $(B)/obj-shim/shim/%,$(SHIM_OBJ)) $(B)/shim-base.a
	@$(if $(filter 0,$(V)),echo "  LD $@",:)
	$(Q)$(CC) -static -Wl,--gc-sections -Wl,-z,relro,-z,now $^ -o $@

# What shims start to probe a container: run so often that it is neither instrumented nor, where it
# needs no library, dynamic. OpenSSL's licence: as with orch-pull.
ask_obj = $(patsubst %,$(B)/obj-shim/ask/%.o,$(1)) $(B)/shim-base.a
$(B)/obj-shim/ask/%.o: SHIM_CFLAGS += $(HARDEN) -D_FORTIFY_SOURCE=2
$(B)/orch-ask-grpc: $(call ask_obj,main_grpc question grpc health hpack cage stream url)
	@$(if $(filter 0,$(V)),echo "  LD $@",:)
	$(Q)$(CC) -static -Wl,--gc-sections -Wl,-z,relro,-z,now $^ -o $@
$(B)/orch-ask-http: $(call ask_obj,main_http question http tls cage stream url)
	@$(if $(filter 0,$(V)),echo "  LD $@",:)
	$(Q)$(CC) -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,--as-needed $^ -o $@ $(call pkg,$(PKG_ask))

$(B)/orch-probe: $(wildcard tests/probe/*.[ch])
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) -O1 -static $(filter %.c,$^) -o $@

# Manual pages: the text of src/man with tables made from the rows that the programs use.
MAN := $(patsubst src/man/%,$(B)/man/%,$(wildcard src/man/*.[1-8]))
man: $(MAN)
$(B)/man/%: src/man/% scripts/gen-man scripts/gen-man.awk $(wildcard src/model/*.def src/cli/*.def) \
		src/daemon/settings.c
	@mkdir -p $(@D)
	$(Q)scripts/gen-man $< > $@.tmp && mv $@.tmp $@

# Unit tests: one program per file, linked with what its room may use.
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*/test_*.c))
define unit_rule
$(B)/tests/unit/$(1)/%: tests/unit/$(1)/%.c $(call archives,$(2))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $$(ALL_LDFLAGS) $$< \
		$(call archives,$(2)) -o $$@ -lcmocka $(call libs_of,$(2))
endef
$(foreach r,$(ROOMS),$(eval $(call unit_rule,$(r),$(r) $(USES_$(r)))))
# The pure core as a whole: golden plans, and rollouts in a simulated machine.
CORE := sim daemon plan control model schema base
$(eval $(call unit_rule,core,$(CORE)))

# The simulator: a machine in memory around control, plan and what of the daemon is pure (its archive
# gives the rest only to whoever asks for it, and nothing here does).
SIM_OBJ := $(patsubst tests/sim/%.c,$(B)/tests/sim/%.o,$(filter-out tests/sim/main.c,$(wildcard tests/sim/*.c)))
SIM := $(B)/tests/sim/sim
$(B)/tests/sim/%.o: tests/sim/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(B)/sim.a: $(SIM_OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(SIM): $(B)/tests/sim/main.o $(call archives,$(CORE))
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -o $@ $(call libs_of,control $(USES_control))

# Helpers of integration tests, and benchmarks: linked with everything below the daemon. Tools of the
# corpus tests: with the model.
HELPERS := $(patsubst tests/helpers/%.c,$(B)/tests/helpers/%,$(wildcard tests/helpers/*.c))
TOOLS := $(patsubst tests/tools/%.c,$(B)/tests/tools/%,$(wildcard tests/tools/*.c))
BENCH := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))
$(B)/tests/helpers/%: tests/helpers/%.c $(call archives,$(USES_daemon))
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(ALL_LDFLAGS) $< \
		$(call archives,$(USES_daemon)) -o $@ $(call libs_of,$(USES_daemon))
$(B)/tests/tools/%: tests/tools/%.c $(call archives,model schema base)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(ALL_LDFLAGS) $< \
		$(call archives,model schema base) -o $@ $(call libs_of,model schema base)
$(B)/tests/bench/%: tests/bench/%.c $(call archives,$(USES_daemon))
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(ALL_LDFLAGS) $< \
		$(call archives,$(USES_daemon)) -o $@ $(call libs_of,$(USES_daemon))

# Fuzz targets (tests/fuzz/replay.c says how one is added): the rooms of each, nearest first. With
# libFuzzer in MODE fuzz; in every mode a program that replays the corpus.
FUZZ_credentials := pull image sys base
FUZZ_cron := base
FUZZ_decode := model schema base
FUZZ_image_config := image sys base
FUZZ_image_record := image sys base
FUZZ_manifest_json := pull image sys base
FUZZ_quantity := base
FUZZ_reference := base
FUZZ_selector := model schema base
FUZZ_tar := image sys base
FUZZ_unpack := image sys base
FUZZ_yaml := schema base
FUZZ_zone := base
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY := $(patsubst %,$(B)/tests/fuzz/replay_%,$(FUZZ))
$(B)/tests/fuzz/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
define fuzz_rule
$(B)/tests/fuzz/replay_$(1): $(B)/tests/fuzz/replay.o $(B)/tests/fuzz/fuzz_$(1).o $(call archives,$(2))
	$$(Q)$$(CC) $$(ALL_LDFLAGS) $$^ -o $$@ $(call libs_of,$(2))
$(B)/fuzz_$(1): $(B)/tests/fuzz/fuzz_$(1).o $(call archives,$(2))
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -fsanitize=fuzzer $$^ -o $$@ $(call libs_of,$(2))
endef
$(foreach t,$(FUZZ),$(eval $(call fuzz_rule,$(t),$(FUZZ_$(t)))))
fuzz:
	$(Q)$(MAKE) --no-print-directory MODE=fuzz CC=clang fuzz-targets
fuzz-targets: $(patsubst %,$(B)/fuzz_%,$(FUZZ)) $(B)/decode.dict
$(B)/decode.dict: $(wildcard src/model/*.def)	# keys, kinds, defaults
	$(Q)grep -oh '"[A-Za-z0-9./-]*"' $^ | sort -u | grep -v '""' >$@
check-corpus: $(REPLAY)
	$(Q)for t in $(FUZZ); do $(B)/tests/fuzz/replay_$$t tests/fuzz/corpus/$$t || exit 1; done

tests: all $(UNIT) $(SIM) $(HELPERS) $(TOOLS) $(BENCH) $(REPLAY)
check-unit: $(UNIT)
	$(Q)scripts/run-unit $(UNIT)
# A pass of the daemon is a step of the simulator; SEED is where its traces begin.
SEED ?= 1
sim: $(SIM)
	$(Q)scripts/sim $(SIM) 1000000 $(SEED)
sim-long: $(SIM)
	$(Q)scripts/sim $(SIM) 100000000 $(SEED)
mutants:
	$(Q)scripts/mutants
check-includes:
	$(Q)scripts/check-includes
check:
	$(Q)scripts/check
bench: all $(BENCH)
	$(Q)BUILD=$(abspath $(B)) tests/bench/run
	$(Q)BUILD=$(abspath $(B)) tests/bench/image_pull
	$(Q)BUILD=$(abspath $(B)) tests/bench/logs
	$(Q)BUILD=$(abspath $(B)) tests/bench/many
	$(Q)BUILD=$(abspath $(B)) tests/bench/probes
	$(Q)$(B)/tests/bench/reconcile
check-v2: tests
	$(Q)scripts/check-v2

PREFIX ?= /usr
DESTDIR ?=
install: all
	install -D -m 755 $(B)/orchd $(DESTDIR)$(PREFIX)/sbin/orchd
	install -D -m 755 $(B)/orchctl $(DESTDIR)$(PREFIX)/bin/orchctl
	install -D -m 755 $(B)/orch-shim $(DESTDIR)$(PREFIX)/lib/orch/orch-shim
	for p in orch-pull orch-ask-http orch-ask-grpc; do \
		install -D -m 755 $(B)/$$p $(DESTDIR)$(PREFIX)/lib/orch/$$p; done
	install -d -m 755 $(DESTDIR)/etc/orch
	for m in $(MAN); do install -D -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/}; done
	install -D -m 644 src/completion/orchctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/orchctl
	for u in src/systemd/*.service; do install -D -m 644 $$u $(DESTDIR)/lib/systemd/system/$${u##*/}; done

clean:
	rm -rf build

.PHONY: all man tests fuzz fuzz-targets check check-corpus check-unit check-includes check-v2 sim sim-long mutants bench install clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
