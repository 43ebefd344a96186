# Programs of several processes, threads and CPUs that check themselves (user/testing): tools/hostile.py boots them.
# SECONDS=60 CPUS=4 SEED=N for run-stress; CPUS=1,2,4,8 is a run on each.

CPUS ?= 4
SEED ?=

.PHONY: run-spawn run-hostile run-stress

run-spawn: build other-builds ## processes, threads, parking, endpoints and transfer, on 1, 2, 4 and 8 CPUs, in three builds
	@$(SUITE) tools/hostile.py spawn

run-hostile: build other-builds ## attacks from ring 3, on 1, 2, 4 and 8 CPUs, and in a debug build
	@$(SUITE) tools/hostile.py hostile

run-stress: build ## sixteen processes at random for SECONDS=60 on CPUS=4 (CPUS=1,2: on each)
	@$(SUITE) tools/hostile.py stress --seconds $(SECONDS) --cpus $(CPUS) $(if $(SEED),--seed $(SEED))
