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
LIBS_common := -ljansson -lsodium -lseccomp -lcap-ng
LIBS_loop := -levent_core
