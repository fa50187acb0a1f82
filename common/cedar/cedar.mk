# The Cedar policy engine: objects and targets. Include it from a Makefile that
# sets CC and CFLAGS; everything is built under build/.

CEDAR_FLAGS ?= -std=c17 -O2 -g -Wall -Wextra -Wconversion -Wshadow -Wvla -Werror
CEDAR_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CEDAR_INC := -Icommon/cedar -Itests/cedar
KEEPGATE_TEST_DATA ?= ../shared/data
CEDAR_FUZZERS := policy json schema entities

CEDAR_SRC := $(sort $(wildcard common/cedar/*.c))
CEDAR_OBJ := $(CEDAR_SRC:%.c=build/%.o)
CEDAR_ASAN_OBJ := $(CEDAR_SRC:%.c=build/asan/%.o)

$(CEDAR_OBJ) $(patsubst %.c,build/%.o,$(wildcard tests/cedar/*.c)): build/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) $(CEDAR_INC) -MMD -MP -c -o $@ $<

$(CEDAR_ASAN_OBJ) $(patsubst %.c,build/asan/%.o,$(wildcard tests/cedar/*.c)): build/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) $(CEDAR_SAN) $(CEDAR_INC) -MMD -MP -c -o $@ $<

build/libcedar.a: $(CEDAR_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

build/asan/libcedar.a: $(CEDAR_ASAN_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

CEDAR_TESTS := corpus diff unit

$(CEDAR_TESTS:%=build/tests/cedar-%): build/tests/cedar-%: build/tests/cedar/cedar_%.o build/tests/cedar/test_file.o build/libcedar.a
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) -o $@ $^

$(CEDAR_TESTS:%=build/asan/tests/cedar-%): build/asan/tests/cedar-%: build/asan/tests/cedar/cedar_%.o build/asan/tests/cedar/test_file.o build/asan/libcedar.a
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) $(CEDAR_SAN) -o $@ $^

check-cedar: $(CEDAR_TESTS:%=build/tests/cedar-%) build/tests/cedar-cli
	KEEPGATE_TEST_DATA=$(KEEPGATE_TEST_DATA) tests/cedar/check_cedar.sh build

# The same under the sanitizers; the differential cases are those that differed.
check-cedar-asan: $(CEDAR_TESTS:%=build/asan/tests/cedar-%) $(CEDAR_FUZZERS:%=build/asan/tests/replay_cedar_%)
	KEEPGATE_TEST_DATA=$(KEEPGATE_TEST_DATA) tests/cedar/check_cedar.sh build/asan 0
	for f in $(CEDAR_FUZZERS); do build/asan/tests/replay_cedar_$$f tests/fuzz/seeds/cedar_$$f/* tests/fuzz/regression/cedar_* || exit 1; done

.PHONY: check-cedar check-cedar-asan

-include $(CEDAR_OBJ:.o=.d) $(CEDAR_ASAN_OBJ:.o=.d) $(wildcard build/tests/cedar/*.d build/asan/tests/cedar/*.d)

build/tests/bench_cedar: tests/bench/bench_cedar.c build/libcedar.a
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) $(CEDAR_INC) -o $@ $^

bench-cedar: build/tests/bench_cedar
	./$<

# Fuzzing needs clang: make fuzz-cedar-policy CEDAR_FUZZ_TIME=60
CEDAR_FUZZ_CC ?= clang
CEDAR_FUZZ_TIME ?= 30

$(CEDAR_FUZZERS:%=build/fuzz/cedar_%): build/fuzz/cedar_%: tests/fuzz/fuzz_cedar_%.c $(CEDAR_SRC)
	@mkdir -p $(@D)
	$(CEDAR_FUZZ_CC) -std=c17 -O1 -g -fsanitize=fuzzer,address,undefined $(CEDAR_INC) -Itests/fuzz -o $@ $^

$(CEDAR_FUZZERS:%=fuzz-cedar-%): fuzz-cedar-%: build/fuzz/cedar_%
	@mkdir -p build/fuzz/corpus_$*
	./$< -max_total_time=$(CEDAR_FUZZ_TIME) -max_len=4096 build/fuzz/corpus_$* tests/fuzz/seeds/cedar_$*

$(CEDAR_FUZZERS:%=build/asan/tests/replay_cedar_%): build/asan/tests/replay_cedar_%: tests/fuzz/fuzz_cedar_%.c tests/fuzz/cedar_replay.c tests/cedar/test_file.c build/asan/libcedar.a
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) $(CEDAR_SAN) $(CEDAR_INC) -Itests/fuzz -o $@ $^

.PHONY: bench-cedar $(CEDAR_FUZZERS:%=fuzz-cedar-%)

# The command line's objects; the main program links them with libcedar.a.
CEDAR_CLI_OBJ := build/keepgate/policy.o build/keepgate/policy_load.o build/keepgate/policy_eval.o

$(CEDAR_CLI_OBJ): build/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) $(CEDAR_INC) -Ikeepgate -MMD -MP -c -o $@ $<

-include $(CEDAR_CLI_OBJ:.o=.d)

# A stand-alone front for the tests, until and beside the main program.
build/tests/cedar-cli: tests/cedar/cedar_cli.c $(CEDAR_CLI_OBJ) build/libcedar.a
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) -Ikeepgate -o $@ $^
