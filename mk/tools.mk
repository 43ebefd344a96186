# Tools for people, in C: tools/NAME/*.c with lib/ make the program capos-NAME.

LAYOUT_TOOL := $B/capos-layout
LAYOUT_TOOL_OBJECTS := $(call objects,tools,$(sort $(wildcard tools/layout/*.c)))
PICTURES := docs/pictures
LAYOUT_KEPT := build/layout/capos.json

$B/obj/tools/%.c.o: %.c $(RULES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON_FLAGS) -O2 $(DEPENDENCY_FLAGS) -c -o $@ $<

$(LAYOUT_TOOL): $(LAYOUT_TOOL_OBJECTS) $(LIBRARY)
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $(LAYOUT_TOOL_OBJECTS) $(LIBRARY)

.PHONY: layout-pictures run-layout run-layout-linux
layout-pictures: $(LAYOUT_TOOL) ## draw docs/pictures/layout-*.svg again
	$(LAYOUT_TOOL) --profile amd64 --svg > $(PICTURES)/layout-amd64.svg
	$(LAYOUT_TOOL) --profile amd64 --svg --seed 1 --movable --heap-offset > $(PICTURES)/layout-amd64-random.svg
	$(LAYOUT_TOOL) --profile ia32 --svg > $(PICTURES)/layout-ia32.svg
	$(LAYOUT_TOOL) --profile ia32 --svg --stack 512M --seed 4 > $(PICTURES)/layout-ia32-large-stack.svg
	$(LAYOUT_TOOL) --profile ultrasparc --svg > $(PICTURES)/layout-ultrasparc.svg

run-layout: build ## where programs lie, in each kind of layout, beside lib/layout; 200 spawns; what is refused
	@$(SUITE) tools/layout_capos.py

run-layout-linux: $(LAYOUT_KEPT) ## the same program under the Linux that this runs on, beside what capOS printed
	@tools/layout_linux.py $(LAYOUT_KEPT)

# What `make run-layout` leaves behind, of this kernel and these programs.
$(LAYOUT_KEPT): $(KERNEL) $(PACKAGE) $(LAYOUT_TOOL)
	@$(SUITE) tools/layout_capos.py --record

-include $(LAYOUT_TOOL_OBJECTS:=.d)
