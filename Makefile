# make        builds build/libtempotron.a
# make check  installs what is missing, builds, tests
CC     ?= gcc
BUILD  ?= build
CFLAGS  = -std=c17 -O3 -g -ffp-contract=off -Wall -Wextra -Wshadow -MMD -MP $(SANITIZE)

objects  = $(patsubst %.c,$(BUILD)/%.o,$(wildcard core/*.c))
packages = gcc libc6-dev check libjansson-dev

all: $(BUILD)/libtempotron.a

check: packages
	$(MAKE) $(BUILD)/tests/test_core
	$(BUILD)/tests/test_core

asan:
	$(MAKE) check BUILD=build/asan SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'

$(BUILD)/libtempotron.a: $(objects)
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c $< -o $@

$(BUILD)/tests/test_core: tests/test_core.c $(BUILD)/libtempotron.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Icore $^ -o $@ -ljansson -lcheck -lsubunit -lrt -lm -pthread

packages:
	@missing=$$(for p in $(packages); do \
	  dpkg-query -W -f='$${Status}\n' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	[ -z "$$missing" ] || { [ $$(id -u) = 0 ] && apt-get update && \
	  apt-get install -y --no-install-recommends $$missing; } || \
	{ echo "Please run: sudo apt-get install" $$missing; exit 1; }

clean:
	rm -rf build

-include $(objects:.o=.d)

.PHONY: all check asan packages clean
