# tempotrond. `make run` and `make check` need a Debian with make, nothing else; `make help` lists the rest.
# tests/checks.mk has what developers run besides: sanitizers, coverage, fuzzing, style. A variant, such as asan, is
# this same Makefile with VARIANT set: it adds FLAGS_asan and builds under build/asan/.

CC      = gcc
CFLAGS  = -g
PREFIX  = /usr/local
VERSION = 0.1.0
BUILD   = build$(VARIANT:%=/%)

BUILD_PACKAGES = gcc libc6-dev libmicrohttpd-dev libjansson-dev libsqlite3-dev nettle-dev zlib1g-dev libgnutls28-dev libseccomp-dev
CHECK_PACKAGES = $(BUILD_PACKAGES) g++ pkg-config check libcurl4-gnutls-dev libyaml-dev curl sqlite3
BUILD_LIBS     = -lmicrohttpd -ljansson -lsqlite3 -lseccomp -lgnutls -lnettle -lz -lpthread -lm
CHECK_LIBS     = -lcheck -lsubunit -lcurl -lyaml -lrt $(BUILD_LIBS)

# Hardening. _FORTIFY_SOURCE would hide what the sanitizers of the variants check.
HARDEN  = -fPIE -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
HARDEN += $(if $(VARIANT),,-D_FORTIFY_SOURCE=3)
HARDEN += $(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full)
HARDEN_LINK = -pie -Wl,-z,relro,-z,now,-z,noexecstack

WARN      = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
# They let loops over square roots and choices become vector code, and change no number.
CORE_FLAGS = -fno-math-errno -fno-trapping-math $(CORE_FLAGS_$(VARIANT))
COMPILE   = $(CC) -std=c17 -ffp-contract=off -MMD -MP $(WARN) $(HARDEN) -I.
LINK      = $(CC) $(HARDEN_LINK) $(FLAGS_$(VARIANT))

CORE    = $(patsubst %.c,$(BUILD)/%.o,$(wildcard core/*.c))
MAIN    = $(patsubst %.c,$(BUILD)/%.o,$(wildcard server/main.c))
SERVER  = $(patsubst %.c,$(BUILD)/%.o,$(filter-out server/main.c,$(wildcard server/*.c server/*/*.c))) \
          $(BUILD)/server/base/embedded.o
SUPPORT = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c bench/support/*.c))
TESTS   = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/test_*.c))
SCRIPTS = $(patsubst tests/%/run.sh,$(BUILD)/tests/test_%,$(wildcard tests/*/run.sh))
LEVELS  = $(addprefix $(BUILD)/tests/levels/train-,$(if $(filter x86_64,$(shell uname -m)),x86-64 x86-64-v3 x86-64-v4,native))
BENCHES = $(patsubst %.c,$(BUILD)/%,$(wildcard bench/*.c))
LIBRARY = $(BUILD)/libtempotron.a
DAEMON  = $(MAIN:%/server/main.o=%/tempotrond)
SOURCES = $(wildcard core/*.[ch] server/*.[ch] server/*/*.[ch] tests/*.[ch] tests/*/*.[ch] bench/*.[ch] bench/*/*.[ch])

# Says what it does in a line each; `make V=1` shows the commands.
QUIET = $(if $(V),,@echo '  $(1)	$(2)' &&)

# This Makefile for another target, on all cores unless -j says otherwise.
AGAIN = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# Where the tests find the server.
export TEMPOTROND = $(DAEMON)

all: $(LIBRARY) $(DAEMON) ## the daemon and the library (the default)

lib: $(LIBRARY) ## only the library: needs a C compiler, no other library

run: PACKAGES = $(BUILD_PACKAGES)
run: packages ## install what is missing, build, serve (ARGS='--listen 127.0.0.1:9000')
	@+$(AGAIN) all
	$(DAEMON) $(ARGS)

check: PACKAGES = $(CHECK_PACKAGES)
check: packages ## install what is missing, build, run every test
	@+$(AGAIN) tests

tests: all $(TESTS) $(SCRIPTS) ## build and run every test; install nothing
	@tests/run.sh $(TESTS) $(SCRIPTS)

bench: PACKAGES = $(CHECK_PACKAGES)
bench: packages ## install what is missing, build, run every benchmark
	@+$(AGAIN) all $(BENCHES)
	@for bench in $(BENCHES) $(wildcard bench/*.sh); do echo "# $$bench"; $$bench || exit 1; done

BARE = $(BUILD)/bench/http/bare
bench-http: PACKAGES = $(BUILD_PACKAGES) curl wrk
bench-http: packages ## install what is missing, build, measure predictions over HTTP against a bare server
	@+$(AGAIN) all $(BARE)
	@bench/http/run.sh $(DAEMON) $(BARE)

openapi: ## the contract, openapi.yaml, of its parts in openapi/
	@cat openapi/*.yaml >openapi.yaml

docker: ## the container image, tempotrond:VERSION
	docker build -f docker/Dockerfile -t tempotrond:$(VERSION) -t tempotrond:latest .

install: all install-lib ## the daemon and the library into PREFIX (/usr/local), below DESTDIR
	install -D -m 755 $(DAEMON) -t $(DESTDIR)$(PREFIX)/bin

install-lib: lib ## the library only, likewise: archive, header, libtempotron.pc
	install -D -m 644 $(LIBRARY) -t $(DESTDIR)$(PREFIX)/lib
	install -D -m 644 core/libtempotron.h -t $(DESTDIR)$(PREFIX)/include
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/pkgconfig
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' core/libtempotron.pc.in \
	    >$(DESTDIR)$(PREFIX)/lib/pkgconfig/libtempotron.pc

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile tests/checks.mk | expand -t 14

include tests/checks.mk

# Installs those of $(PACKAGES) that are missing, or, without root's rights, prints the command that does.
packages:
	@missing=$$(for package in $(PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; \
	done | xargs); \
	[ -z "$$missing" ] && exit; \
	[ $$(id -u) = 0 ] || { echo "Missing packages. Please run:"; \
	    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $$missing"; exit 1; }; \
	apt-get update && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing

$(BUILD)/core/%.o: core/%.c Makefile
	@mkdir -p $(@D)
	$(call QUIET,CC,$<) $(COMPILE) -O3 $(CORE_FLAGS) $(CFLAGS) $(FLAGS_$(VARIANT)) -c $< -o $@

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call QUIET,CC,$<) $(COMPILE) -O2 -D_GNU_SOURCE -DTEMPOTROND_VERSION='"$(VERSION)"' \
	    $(CFLAGS) $(FLAGS_$(VARIANT)) -c $< -o $@

$(BUILD)/server/base/embedded.o: server/base/embedded.S openapi.yaml $(wildcard migrations/*.sql)
	@mkdir -p $(@D)
	$(call QUIET,AS,$<) $(CC) -c $< -o $@

# The library exports what its header declares and nothing else: one object, whose other names are local.
$(LIBRARY:.a=.o): $(CORE) core/libtempotron.h
	$(call QUIET,LD,$@) $(LD) -r $(CORE) -o $@
	@grep -o 'tempotron_[a-z_]*(' core/libtempotron.h | tr -d '(' | sort -u >$@.names
	@objcopy --keep-global-symbols=$@.names $@

$(LIBRARY): %.a: %.o
	@rm -f $@
	$(call QUIET,AR,$@) $(AR) rcs $@ $^

$(DAEMON): $(MAIN) $(SERVER) $(CORE)
	$(call QUIET,LINK,$@) $(LINK) $^ $(LDFLAGS) $(BUILD_LIBS) -o $@

$(TESTS) $(BENCHES): %: %.o $(SUPPORT) $(SERVER) $(CORE)
	$(call QUIET,LINK,$@) $(LINK) $^ $(LDFLAGS) $(CHECK_LIBS) -o $@

$(BARE): %: %.o
	$(call QUIET,LINK,$@) $(LINK) $^ $(LDFLAGS) -lmicrohttpd -o $@

# The core compiled for one level of the processor's instructions only, to compare the bits.
$(BUILD)/tests/levels/train-%: tests/levels/train.c $(wildcard core/*.[ch]) Makefile
	@mkdir -p $(@D)
	$(call QUIET,CC,$@) $(filter-out -MMD -MP,$(COMPILE)) $(HARDEN_LINK) -O3 $(CORE_FLAGS) -march=$* \
	    -DTEMPOTRON_ONE_LEVEL $(CFLAGS) $(FLAGS_$(VARIANT)) $(filter %.c,$^) -lm -o $@

# A test that is a script, with what it runs as its arguments.
$(BUILD)/tests/test_levels: $(LEVELS)
$(BUILD)/tests/test_hardening: $(DAEMON)
$(BUILD)/tests/test_fuzz: $(REPLAYS)
$(SCRIPTS): $(BUILD)/tests/test_%: tests/%/run.sh
	@mkdir -p $(@D) && printf '#!/bin/sh\nexec %s\n' '$< $(filter-out $<,$^)' >$@ && chmod +x $@

-include $(patsubst %.o,%.d,$(CORE) $(MAIN) $(SERVER) $(SUPPORT) $(TESTS:=.o) $(BENCHES:=.o) $(BARE).o)

.PHONY: all lib run check tests bench bench-http openapi docker install install-lib clean help packages
.SECONDARY:
