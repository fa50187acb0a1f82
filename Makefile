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
OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -DKG_SANITIZE
LDOPT := -fsanitize=$(SANITIZE)
endif
CFLAGS ?=
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -I. -I$(B)/gen $(OPT) $(WARN) $(CFLAGS)

# The executables: name, its folder, the libraries behind libcommon.a.
BINARIES := keepgate gatewayd gatewayd-front gatewayd-broker gatewayd-upstream vaultd guardiand guardiand-recorder notes
dir_keepgate := keepgate
dir_gatewayd := gatewayd
dir_gatewayd-front := gatewayd/front
dir_gatewayd-broker := gatewayd/broker
dir_gatewayd-upstream := gatewayd/upstream
dir_vaultd := vaultd
dir_guardiand := guardiand
dir_guardiand-recorder := guardiand/recorder
dir_notes := examples/notes
LIBS := -levent_core -ljansson -lsodium -lseccomp
libs_gatewayd-upstream := -lcurl
libs_vaultd := -lsqlite3
libs_guardiand-recorder := -lsqlite3

lib_of = $(B)/lib/$(1).a
objs_of = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c))
COMMON_OBJ := $(call objs_of,common) $(B)/obj/gen/config_schema.o
LIBCOMMON := $(call lib_of,common)

all: $(addprefix $(B)/,$(BINARIES))

# One archive per folder without its main.o, so that tests link what a program is made of.
define binary
$(call lib_of,$(1)): $(filter-out %/main.o,$(call objs_of,$(dir_$(1))))
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && ar rcs $$@ $$^
$(B)/$(1): $(B)/obj/$(dir_$(1))/main.o $(call lib_of,$(1)) $(LIBCOMMON)
	@echo "  LD   $$@"
	$$(Q)$(CC) $(LDOPT) -o $$@ $$^ $(libs_$(1)) $(LIBS)
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

# Unit tests: test_ROLE_*.c link that role's archive too (front, broker, upstream, vault, recorder, keepgate).
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
unit_role = $(word 2,$(subst _, ,$(1)))
role_lib_front := gatewayd-front
role_lib_broker := gatewayd-broker
role_lib_upstream := gatewayd-upstream
role_lib_vault := vaultd
role_lib_recorder := guardiand-recorder
role_lib_keepgate := keepgate
define unit_test
$(B)/tests/$(1): $(B)/obj/tests/unit/$(1).o $(if $(role_lib_$(call unit_role,$(1))),$(call lib_of,$(role_lib_$(call unit_role,$(1))))) $(LIBCOMMON)
	@echo "  LD   $$@"
	$$(Q)mkdir -p $$(@D) && $(CC) $(LDOPT) -o $$@ $$^ $(libs_$(role_lib_$(call unit_role,$(1)))) $(LIBS)
endef
$(foreach t,$(notdir $(UNIT)),$(eval $(call unit_test,$(t))))

.PHONY: all unit clean
unit: $(UNIT)
	@for t in $(sort $(UNIT)); do echo "$${t##*/}"; $$t || exit 1; done

clean:
	rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
