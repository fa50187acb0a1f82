# The Cedar policy engine: objects and targets. Include it from a Makefile that
# sets CC and CFLAGS; everything is built under build/.

CEDAR_FLAGS ?= -std=c17 -O2 -g -Wall -Wextra -Wconversion -Wshadow -Wvla -Werror
CEDAR_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CEDAR_INC := -Icommon/cedar -Itests/cedar
KEEPGATE_TEST_DATA ?= ../shared/data

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

build/tests/cedar-corpus: build/tests/cedar/cedar_corpus.o build/tests/cedar/test_file.o build/libcedar.a
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) -o $@ $^

build/asan/tests/cedar-corpus: build/asan/tests/cedar/cedar_corpus.o build/asan/tests/cedar/test_file.o build/asan/libcedar.a
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) $(CEDAR_SAN) -o $@ $^

-include $(CEDAR_OBJ:.o=.d) $(CEDAR_ASAN_OBJ:.o=.d) $(wildcard build/tests/cedar/*.d build/asan/tests/cedar/*.d)

build/tests/cedar-diff: build/tests/cedar/cedar_diff.o build/tests/cedar/test_file.o build/libcedar.a
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) -o $@ $^

build/tests/bench_cedar: tests/bench/bench_cedar.c build/libcedar.a
	@mkdir -p $(@D)
	$(CC) $(CEDAR_FLAGS) $(CEDAR_INC) -o $@ $^

bench-cedar: build/tests/bench_cedar
	./$<

# Fuzzing needs clang: make fuzz-cedar-policy CEDAR_FUZZ_TIME=60
CEDAR_FUZZ_CC ?= clang
CEDAR_FUZZ_TIME ?= 30
CEDAR_FUZZERS := policy json schema entities

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
