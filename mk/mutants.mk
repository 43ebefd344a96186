# Checks of the kernel switched off one at a time, in copies of the tree (tools/mutants.py, tests/mutants).

JOBS ?= 1
ONE ?=

.PHONY: mutants

mutants: $(WORDS) ## each check of the kernel switched off, one at a time: which test notices? (ONE=NAME, JOBS=1)
	@tools/mutants.py --jobs $(JOBS) --one "$(ONE)"
