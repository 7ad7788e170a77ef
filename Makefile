# tempotrond. `make run` and `make check` need a Debian with make, nothing else; `make help` lists the rest.
# Variants (asan, tsan) are this same Makefile with VARIANT and SANITIZE set: they build under build/VARIANT/.

CC      = gcc
CFLAGS  = -g
PREFIX  = /usr/local
VERSION = 0.1.0
BUILD   = build$(VARIANT:%=/%)

BUILD_PACKAGES = gcc libc6-dev libmicrohttpd-dev libjansson-dev libsqlite3-dev nettle-dev zlib1g-dev
CHECK_PACKAGES = $(BUILD_PACKAGES) check libcurl4-gnutls-dev libyaml-dev curl sqlite3
BUILD_LIBS     = -lmicrohttpd -ljansson -lsqlite3 -lnettle -lz -lpthread -lm
CHECK_LIBS     = -lcheck -lsubunit -lcurl -lyaml -lrt $(BUILD_LIBS)

# Hardening. The sanitizers bring their own checks, which _FORTIFY_SOURCE would hide.
HARDEN  = -fPIE -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
HARDEN += $(if $(SANITIZE),,-D_FORTIFY_SOURCE=3)
HARDEN += $(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full)
HARDEN_LINK = -pie -Wl,-z,relro,-z,now,-z,noexecstack

WARN      = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
SANITIZER = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# What lets loops over square roots and choices become vector code; no number is any other for it.
CORE_FLAGS = -fno-math-errno -fno-trapping-math
COMPILE   = $(CC) -std=c17 -ffp-contract=off -MMD -MP $(WARN) $(HARDEN) $(SANITIZER)
LINK      = $(CC) $(HARDEN_LINK) $(SANITIZER)

CORE    = $(patsubst %.c,$(BUILD)/%.o,$(wildcard core/*.c))
MAIN    = $(patsubst %.c,$(BUILD)/%.o,$(wildcard server/main.c))
SERVER  = $(patsubst %.c,$(BUILD)/%.o,$(filter-out server/main.c,$(wildcard server/*.c server/*/*.c))) \
          $(BUILD)/server/base/embedded.o
SUPPORT = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c bench/support/*.c))
TESTS   = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/test_*.c))
LEVELS  = $(addprefix $(BUILD)/tests/levels/train-,$(if $(filter x86_64,$(shell uname -m)),x86-64 x86-64-v3 x86-64-v4,native))
BENCHES = $(patsubst %.c,$(BUILD)/%,$(wildcard bench/*.c))
LIBRARY = $(BUILD)/libtempotron.a
DAEMON  = $(MAIN:%/server/main.o=%/tempotrond)
SOURCES = $(wildcard core/*.[ch] server/*.[ch] server/*/*.[ch] tests/*.[ch] tests/*/*.[ch] bench/*.[ch] bench/*/*.[ch])

# Says what it does in a line each; `make V=1` shows the commands.
QUIET = $(if $(V),,@echo '  $(1)	$(2)' &&)

# Where the tests find the server.
export TEMPOTROND = $(BUILD)/tempotrond

all: $(LIBRARY) $(DAEMON) ## the daemon and the library (the default)

lib: $(LIBRARY) ## the library alone: needs a C compiler, no other library

run: PACKAGES = $(BUILD_PACKAGES)
run: packages ## install what is missing, build, serve (ARGS='--listen 127.0.0.1:9000')
	@$(MAKE) --no-print-directory all
	$(BUILD)/tempotrond $(ARGS)

check: PACKAGES = $(CHECK_PACKAGES)
check: packages ## install what is missing, build, run every test
	@$(MAKE) --no-print-directory tests

tests: all $(TESTS) $(BUILD)/tests/test_levels $(BUILD)/tests/test_docs
	@tests/run.sh $(TESTS) $(BUILD)/tests/test_levels $(BUILD)/tests/test_docs

asan: export ASAN_OPTIONS = detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
asan: export UBSAN_OPTIONS = print_stacktrace=1
asan: export CK_TIMEOUT_MULTIPLIER = 5
asan: ## every test, under the address and undefined behaviour sanitizers
	@$(MAKE) --no-print-directory check VARIANT=asan SANITIZE=address,undefined

tsan: export TSAN_OPTIONS = halt_on_error=1:second_deadlock_stack=1
tsan: export CK_TIMEOUT_MULTIPLIER = 10
tsan: ## every test, under the thread sanitizer
	@$(MAKE) --no-print-directory check VARIANT=tsan SANITIZE=thread

valgrind: export TEMPOTROND_WRAPPER = valgrind --leak-check=full --error-exitcode=99 -q
valgrind: export CK_TIMEOUT_MULTIPLIER = 20
valgrind: CHECK_PACKAGES += valgrind
valgrind: check ## every test, with the server under valgrind

bench: PACKAGES = $(CHECK_PACKAGES)
bench: packages ## install what is missing, build, run every benchmark
	@$(MAKE) --no-print-directory all $(BENCHES)
	@for bench in $(BENCHES) $(wildcard bench/*.sh); do echo "# $$bench"; $$bench || exit 1; done

BARE = $(BUILD)/bench/http/bare
bench-http: PACKAGES = $(BUILD_PACKAGES) curl wrk
bench-http: packages ## install what is missing, build, measure predictions over HTTP against a bare server
	@$(MAKE) --no-print-directory all $(BARE)
	@bench/http/run.sh $(DAEMON) $(BARE)

# Who may include what: the layers of the house, and the libraries that each may know. C++ takes the library's
# header too.
STANDARD = assert|errno|float|limits|math|stdalign|stdatomic|stdbool|stddef|stdint|stdlib|string
lint: PACKAGES = clang-format g++
lint: packages ## the style, and which file may include what
	@clang-format --dry-run -Werror $(SOURCES)
	@! grep -nE '^ *# *include *<' $(wildcard core/*.[ch]) | grep -vE '<($(STANDARD))\.h>'
	@tests/lint/layers.sh
	@echo '#include "core/libtempotron.h"' | $(CXX) -std=c++11 -pedantic -Wall -Wextra -Werror \
	    -fsyntax-only -I. -x c++ -
	@! grep -nwE 'TO[D]O|FIX[M]E|XX[X]' $(SOURCES) Makefile $(wildcard migrations/*.sql docker/*)

fmt: PACKAGES = clang-format
fmt: packages ## put every source into the project's style
	clang-format -i $(SOURCES)

openapi: ## the contract, openapi.yaml, of its parts in openapi/
	@cat openapi/*.yaml >openapi.yaml

docker: ## the container image, tempotrond:VERSION
	docker build -f docker/Dockerfile -t tempotrond:$(VERSION) -t tempotrond:latest .

install: all ## into PREFIX (/usr/local), below DESTDIR
	install -D -m 755 $(DAEMON) -t $(DESTDIR)$(PREFIX)/bin
	install -D -m 644 $(LIBRARY) -t $(DESTDIR)$(PREFIX)/lib
	install -D -m 644 core/*.h -t $(DESTDIR)$(PREFIX)/include/tempotron

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 12

# Installs those of $(PACKAGES) that are missing; who is not root is told the command instead.
packages:
	@missing=$$(for package in $(PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; \
	done | xargs); \
	[ -z "$$missing" ] && exit; \
	[ $$(id -u) = 0 ] || { echo "Missing packages. Please run:"; \
	    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $$missing"; exit 1; }; \
	apt-get update && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing

# The resolvers of target_clones run before the thread sanitizer does: an instrumented entry would crash.
$(BUILD)/core/%.o: COMPILE += $(if $(filter thread,$(SANITIZE)),--param=tsan-instrument-func-entry-exit=0)
# The fake stack that finds uses after return aligns no vectors of 64 bytes (gcc's PR 110027).
$(BUILD)/core/%.o $(BUILD)/tests/levels/train-%: COMPILE += $(if $(findstring address,$(SANITIZE)),--param=asan-use-after-return=0)
$(BUILD)/core/%.o: core/%.c Makefile
	@mkdir -p $(@D)
	$(call QUIET,CC,$<) $(COMPILE) -O3 $(CORE_FLAGS) -I. $(CFLAGS) -c $< -o $@

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call QUIET,CC,$<) $(COMPILE) -O2 -D_GNU_SOURCE -DTEMPOTROND_VERSION='"$(VERSION)"' -I. \
	    $(CFLAGS) -c $< -o $@

$(BUILD)/server/base/embedded.o: server/base/embedded.S openapi.yaml $(wildcard migrations/*.sql)
	@mkdir -p $(@D)
	$(call QUIET,AS,$<) $(CC) -c $< -o $@

$(LIBRARY): $(CORE)
	@rm -f $@
	$(call QUIET,AR,$@) $(AR) rcs $@ $^

$(DAEMON): $(MAIN) $(SERVER) $(LIBRARY)
	$(call QUIET,LINK,$@) $(LINK) $^ $(LDFLAGS) $(BUILD_LIBS) -o $@

$(TESTS) $(BENCHES): %: %.o $(SUPPORT) $(SERVER) $(LIBRARY)
	$(call QUIET,LINK,$@) $(LINK) $^ $(LDFLAGS) $(CHECK_LIBS) -o $@

$(BARE): %: %.o
	$(call QUIET,LINK,$@) $(LINK) $^ $(LDFLAGS) -lmicrohttpd -o $@

# The core with each level of the processor's instructions alone, to compare the bits.
$(BUILD)/tests/levels/train-%: tests/levels/train.c $(wildcard core/*.[ch]) Makefile
	@mkdir -p $(@D)
	$(call QUIET,CC,$@) $(filter-out -MMD -MP,$(COMPILE)) $(HARDEN_LINK) -O3 $(CORE_FLAGS) -march=$* \
	    -DTEMPOTRON_ONE_LEVEL -I. $(CFLAGS) $(filter %.c,$^) -lm -o $@

$(BUILD)/tests/test_levels: tests/levels/run.sh $(LEVELS)
	@printf '#!/bin/sh\nexec %s\n' '$^' >$@ && chmod +x $@

$(BUILD)/tests/test_docs: tests/docs/run.sh
	@mkdir -p $(@D) && printf '#!/bin/sh\nexec %s\n' '$^' >$@ && chmod +x $@

-include $(patsubst %.o,%.d,$(CORE) $(MAIN) $(SERVER) $(SUPPORT) $(TESTS:=.o) $(BENCHES:=.o) $(BARE).o)

.PHONY: all lib run check tests asan tsan valgrind bench bench-http lint fmt openapi docker install clean help packages
.SECONDARY:
