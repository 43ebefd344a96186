# libcapos.a (lib/ and user/runtime), what the self-checking programs share (user/testing), and the programs: user/shell
# and each folder of user/demos.

USER_LIBRARY := $B/libcapos.a
USER_SCRIPT := user/runtime/program.ld
RUNTIME_SOURCES := $(sort $(wildcard user/runtime/*.[cS])) $(LIB_SOURCES)
USER_LIBRARY_OBJECTS := $(call objects,user,$(RUNTIME_SOURCES))
TESTING_LIBRARY := $B/libtesting.a
TESTING_OBJECTS := $(call objects,user,$(sort $(wildcard user/testing/*.c)))
PROGRAM_FOLDERS := $(patsubst %/,%,$(sort $(dir $(wildcard user/shell/*.c user/demos/*/*.c))))
PROGRAMS := $(addprefix $B/user/,$(notdir $(PROGRAM_FOLDERS)))

$B/obj/user/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(USER_FLAGS) $(MODE_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

$B/obj/user/%.S.o: %.S $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(USER_FLAGS) $(ASSEMBLER_FLAGS) $(DEPENDENCY_FLAGS) -c -o $@ $<

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
	$(Q)$(LINK) --gc-sections -u _start -T $(USER_SCRIPT) -o $$@ $$(filter %.o,$$^) $(TESTING_LIBRARY) $(USER_LIBRARY)
-include $(patsubst %,$B/obj/user/%.o.d,$(wildcard $(1)/*.[cS]))
endef
$(foreach folder,$(PROGRAM_FOLDERS),$(eval $(call program,$(folder))))

-include $(USER_LIBRARY_OBJECTS:=.d) $(TESTING_OBJECTS:=.d)
