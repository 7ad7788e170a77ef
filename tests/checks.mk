# What developers run besides `make check`. Each variant of the build has its flags here; the rules are the Makefile's.

FLAGS_asan     = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan     = -fsanitize=thread -fno-omit-frame-pointer
FLAGS_debug    = -O0
FLAGS_coverage = -O1 --coverage -fprofile-update=atomic -DCOUNTS_LINES
FLAGS_fuzz     = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

# The fake stack that finds uses after return aligns no vectors of 64 bytes (gcc's PR 110027).
CORE_FLAGS_asan = --param=asan-use-after-return=0
# The resolvers of target_clones run before the thread sanitizer does: an instrumented entry would crash.
CORE_FLAGS_tsan = --param=tsan-instrument-func-entry-exit=0

# Of the code that is compiled for each level of the processor's instructions, one copy is counted.
CORE_FLAGS_coverage = -DTEMPOTRON_ONE_LEVEL

# What sanitizers do at the end of a process, and where coverage is written, the sandbox does not allow.
FLAGS_asan += $(UNCONFINED)
FLAGS_tsan += $(UNCONFINED)
FLAGS_coverage += $(UNCONFINED)
UNCONFINED = -DTEMPOTROND_SANDBOX='"off"'

debug: ## the daemon and the library without optimization, in build/debug/
	@+$(AGAIN) all VARIANT=debug

asan: export ASAN_OPTIONS = detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
asan: export UBSAN_OPTIONS = print_stacktrace=1
asan: export CK_TIMEOUT_MULTIPLIER = 5
asan: ## every test, under the address and undefined behaviour sanitizers
	@+$(AGAIN) check VARIANT=asan

tsan: export TSAN_OPTIONS = halt_on_error=1:second_deadlock_stack=1
tsan: export CK_TIMEOUT_MULTIPLIER = 10
tsan: ## every test, under the thread sanitizer
	@+$(AGAIN) check VARIANT=tsan

# The suites that between them ask for every endpoint; the others would take hours.
VALGRIND = $(addprefix $(BUILD)/tests/http/test_,openapi_examples model_errors sample_errors route_errors models runs predictions)
valgrind: export TEMPOTROND_SANDBOX = off
valgrind: export TEMPOTROND_WRAPPER = valgrind --leak-check=full --error-exitcode=99 -q --suppressions=tests/valgrind.supp
valgrind: export CK_TIMEOUT_MULTIPLIER = 20
valgrind: PACKAGES = $(CHECK_PACKAGES) valgrind
valgrind: packages ## the suites that ask for every endpoint, with the server under valgrind
	@+$(AGAIN) all $(VALGRIND)
	@tests/run.sh $(VALGRIND)

ATTACKS  = $(wildcard tests/robustness/*.py)
PRELOADS = $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/robustness/*.c))

coverage: export CK_TIMEOUT_MULTIPLIER = 10
coverage: PACKAGES = $(CHECK_PACKAGES) gcovr python3
coverage: packages ## which lines the tests run: a summary by file, and pages in build/coverage/
	@mkdir -p build/coverage && find build/coverage -name '*.gcda' -delete
	@+status=0; $(AGAIN) check VARIANT=coverage || status=1; $(AGAIN) coverage-faults VARIANT=coverage || status=1; \
	gcovr --root . --filter core/ --filter server/ build/coverage \
	    --txt --html-details build/coverage/index.html && exit $$status

# What happens if a call fails. Starts and stops are left out: what counts asks for memory too.
coverage-faults: $(DAEMON) $(PRELOADS)
	@ROUNDS=0 LIMIT=900 tests/robustness/all.sh tests/robustness/faults.py

FUZZERS = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAYS = $(FUZZERS:$(BUILD)/tests/fuzz/fuzz_%=$(BUILD)/tests/fuzz/replay_%)
FUZZ_SECONDS = 10
FUZZ_ROUNDS = 100000
fuzz: PACKAGES = $(CHECK_PACKAGES) clang
fuzz: packages ## the random tests with FUZZ_ROUNDS=100000, then libFuzzer, FUZZ_SECONDS=10 for each target
	@+$(AGAIN) fuzz-tests
	@+$(AGAIN) fuzz-targets VARIANT=fuzz CC=clang HARDEN=-fPIE

fuzz-short: PACKAGES = $(BUILD_PACKAGES) clang
fuzz-short: export FUZZ_RUNS = 120000
fuzz-short: packages ## libFuzzer with FUZZ_RUNS=120000 inputs for each target: a million in all
	@+$(AGAIN) fuzz-targets VARIANT=fuzz CC=clang HARDEN=-fPIE

fuzz-tests: export TEMPOTROND_FUZZ = $(FUZZ_ROUNDS)
fuzz-tests: RANDOM_TESTS = $(addprefix $(BUILD)/tests/,$(basename $(shell cd tests && grep -lE 'suite_rounds|mutate_files' */test_*.c)))
fuzz-tests: all
	@+$(AGAIN) $(RANDOM_TESTS)
	@tests/run.sh $(RANDOM_TESTS)

fuzz-targets: $(FUZZERS)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/all.sh $(FUZZERS)

FUZZED = $(BUILD)/tests/fuzz/file.o $(BUILD)/tests/support/value_writer.o $(SERVER) $(CORE)
$(FUZZERS): %: %.o $(FUZZED)
	$(call QUIET,LINK,$@) $(LINK) -fsanitize=fuzzer $^ $(LDFLAGS) $(BUILD_LIBS) -o $@

# The same targets as a test: each reads what libFuzzer has found for it.
$(REPLAYS): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(FUZZED)
	$(call QUIET,LINK,$@) $(LINK) $^ $(LDFLAGS) $(BUILD_LIBS) -o $@

robustness: PACKAGES = $(BUILD_PACKAGES) python3 openssl
robustness: packages ## the scripts of tests/robustness: short, or for as long as ROUNDS= and SECONDS= say
	@+$(AGAIN) all $(PRELOADS)
	@tests/robustness/all.sh $(ATTACKS)

# Loaded into the server before its libraries.
$(PRELOADS): $(BUILD)/%.so: %.c
	@mkdir -p $(@D)
	$(call QUIET,CC,$<) $(CC) -std=c17 $(WARN) -O2 -g -D_GNU_SOURCE -fPIC -shared $< -lsqlite3 -lpthread -ldl -o $@

golden: PACKAGES = python3-torch python3-numpy
golden: packages ## make the golden vectors anew with torch, and compare
	@mkdir -p build/golden
	@PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; for script in vectors hidden_peak; do \
	    /usr/bin/python3 tests/golden/$$script.py build/golden || exit 1; done; \
	/usr/bin/python3 tests/golden/compare.py tests/golden build/golden

lint: PACKAGES = clang-format g++
lint: packages ## the style, which file may include what, and what the image is built from
	@tests/lint/style.sh $(SOURCES)
	@tests/lint/layers.sh
	@tests/lint/image.sh

lint-openapi: ## the contract by redocly and spectral, its types, its pages in a browser (needs npm)
	@openapi/lint/run.sh build/openapi

fmt: PACKAGES = clang-format
fmt: packages ## put every source into the project's style
	clang-format -i $(SOURCES)

.PHONY: debug asan tsan valgrind coverage coverage-faults fuzz fuzz-short fuzz-tests fuzz-targets robustness golden lint lint-openapi fmt
