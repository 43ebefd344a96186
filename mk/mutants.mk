# Checks of the kernel switched off one at a time, in copies of the tree (tools/mutants.py, tests/mutants).

JOBS ?= 1
ONE ?=
LIST ?=

.PHONY: mutants

mutants: $(if $(LIST),,$(WORDS)) ## switch off each check of the kernel: which test notices? (ONE=NAME, JOBS=1, LIST=1)
	@tools/mutants.py --jobs "$(JOBS)" --one "$(ONE)" $(if $(LIST),--list)
