# `make install`: lib/ as a static library with headers and a pkg-config file, for use in other systems and on hosts.
#
# PREFIX, DESTDIR   as usual
# LIBRARY_FLAGS     how it is compiled; for a kernel of yours, its own code-model flags

PREFIX ?= /usr/local
DESTDIR ?=
LIBRARY_FLAGS ?= -O2 -fPIC -fno-stack-protector
LIBRARY_VERSION := 1.0

# The program's or system's own memcpy and the like serve; check_failed() is the user's to supply.
LIBRARY_SOURCES := $(filter-out lib/memory_functions.c,$(LIB_SOURCES))
LIBRARY_OBJECTS := $(call objects,library,$(LIBRARY_SOURCES))
LIBRARY := $B/libcapos-memory.a

$B/obj/library/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON_FLAGS) -ffreestanding -fno-common $(LIBRARY_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$(LIBRARY): $(LIBRARY_OBJECTS)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcsD $@ $^

define PKG_CONFIG
prefix=$(PREFIX)
includedir=$${prefix}/include/capos-memory
libdir=$${prefix}/lib

Name: capos-memory
Description: Freestanding memory core: frame bitmap, ledgers, capability table, ranges, memory map, ELF load plan
Version: $(LIBRARY_VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lcapos-memory
endef
export PKG_CONFIG

.PHONY: install
install: $(LIBRARY) $B/capos-layout ## lib/ as a static library with headers and pkg-config file; capos-layout (PREFIX, DESTDIR)
	install -d "$(DESTDIR)$(PREFIX)/lib/pkgconfig" "$(DESTDIR)$(PREFIX)/include/capos-memory/abi" \
		"$(DESTDIR)$(PREFIX)/include/capos-memory/lib" "$(DESTDIR)$(PREFIX)/bin" \
		"$(DESTDIR)$(PREFIX)/share/man/man1"
	install -m 755 $B/capos-layout "$(DESTDIR)$(PREFIX)/bin/"
	install -m 644 docs/man/capos-layout.1 "$(DESTDIR)$(PREFIX)/share/man/man1/"
	install -m 644 $(LIBRARY) "$(DESTDIR)$(PREFIX)/lib/"
	install -m 644 $(wildcard abi/*.h) "$(DESTDIR)$(PREFIX)/include/capos-memory/abi/"
	install -m 644 $(wildcard lib/*.h) "$(DESTDIR)$(PREFIX)/include/capos-memory/lib/"
	@printf '%s\n' "$$PKG_CONFIG" > "$(DESTDIR)$(PREFIX)/lib/pkgconfig/capos-memory.pc"

-include $(LIBRARY_OBJECTS:=.d)
