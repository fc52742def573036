# SPDX-License-Identifier: GPL-2.0-only
#
# A program of its own folder that is linked with the guest tests' library but for
# its main(). The folder's Makefile names it in $(program), and in $(parts) what it
# takes of the library.

BUILD ?= ../build/$(program)
CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -D_GNU_SOURCE -I. -I.. -I$(BUILD)/uapi -MMD -MP \
		   -Wall -Wextra -Werror -Wno-unused-result \
		   -Wmissing-prototypes -Wshadow
override LDFLAGS += -static -pthread

objects := $(patsubst %.c,$(BUILD)/%.o,$(wildcard *.c)) \
	   $(patsubst %,$(BUILD)/lib/%.o,$(parts))

$(BUILD)/$(program): $(objects)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/uapi/linux/vfio.h: FORCE
	@../../../../scripts/uapi $(BUILD)/uapi

$(objects): | $(BUILD)/uapi/linux/vfio.h

$(BUILD)/lib/%.o: ../lib/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/*.d $(BUILD)/lib/*.d)

.PHONY: clean FORCE
