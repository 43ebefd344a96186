# libcapos.a (lib/ and user/runtime), what the self-checking programs share (user/testing), and the programs: user/shell
# and each folder of user/demos. Some of them a second time, position-independent, as NAME-pie.

USER_LIBRARY := $B/libcapos.a
USER_SCRIPT := user/runtime/program.ld
RUNTIME_SOURCES := $(sort $(wildcard user/runtime/*.[cS])) $(LIB_SOURCES)
USER_LIBRARY_OBJECTS := $(call objects,user,$(RUNTIME_SOURCES))
TESTING_LIBRARY := $B/libtesting.a
TESTING_OBJECTS := $(call objects,user,$(sort $(wildcard user/testing/*.c)))
PROGRAM_FOLDERS := $(patsubst %/,%,$(sort $(dir $(wildcard user/shell/*.c user/demos/*/*.c))))
PIE_FOLDERS := user/demos/elf-smoke user/demos/spawn-contract user/demos/address-print
PROGRAMS := $(addprefix $B/user/,$(notdir $(PROGRAM_FOLDERS))) \
	$(patsubst %,$B/user/%-pie,$(notdir $(PIE_FOLDERS)))
PIE_OBJECTS := $(call objects,user-pie,$(RUNTIME_SOURCES) $(sort $(wildcard user/testing/*.c)))
PIE_LIBRARY := $B/libcapos-pie.a

# Names are found relative to RIP, without a table of the linker's: nobody else's are looked for at run time.
USER_PIE_FLAGS := $(filter-out -fno-pic,$(USER_FLAGS)) -fPIE -fvisibility=hidden
LINK_PROGRAM := $(LINK) --gc-sections -u _start -T $(USER_SCRIPT)

$B/obj/user/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(USER_FLAGS) $(MODE_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$B/obj/user/%.S.o: %.S $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(USER_FLAGS) $(ASSEMBLER_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$B/obj/user-pie/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(USER_PIE_FLAGS) $(MODE_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$B/obj/user-pie/%.S.o: %.S $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(USER_PIE_FLAGS) $(ASSEMBLER_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$(PIE_LIBRARY): $(PIE_OBJECTS)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcsD $@ $^

$(USER_LIBRARY): $(USER_LIBRARY_OBJECTS)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcsD $@ $^

$(TESTING_LIBRARY): $(TESTING_OBJECTS)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcsD $@ $^

# $(call program,FOLDER): the rule of one program, from all sources in its folder.
define program
$B/user/$(notdir $(1)): $(call objects,user,$(sort $(wildcard $(1)/*.[cS]))) $(TESTING_LIBRARY) $(USER_LIBRARY) \
		$(USER_SCRIPT)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(LINK_PROGRAM) --defsym=PROGRAM_BASE=0x400000 -o $$@ $$(filter %.o,$$^) $(TESTING_LIBRARY) $(USER_LIBRARY)
-include $(patsubst %,$B/obj/user/%.o.d,$(wildcard $(1)/*.[cS]))
endef
$(foreach folder,$(PROGRAM_FOLDERS),$(eval $(call program,$(folder))))

# $(call program_pie,FOLDER): the same, position-independent.
define program_pie
$B/user/$(notdir $(1))-pie: $(call objects,user-pie,$(sort $(wildcard $(1)/*.[cS]))) $(PIE_LIBRARY) $(USER_SCRIPT)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(LINK_PROGRAM) -pie --no-dynamic-linker -z text --defsym=PROGRAM_BASE=0 -o $$@ $$(filter %.o,$$^) $(PIE_LIBRARY)
-include $(patsubst %,$B/obj/user-pie/%.o.d,$(wildcard $(1)/*.[cS]))
endef
$(foreach folder,$(PIE_FOLDERS),$(eval $(call program_pie,$(folder))))

-include $(USER_LIBRARY_OBJECTS:=.d) $(TESTING_OBJECTS:=.d) $(PIE_OBJECTS:=.d)
