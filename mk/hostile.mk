# Programs of several processes, threads and CPUs that check themselves (user/testing): tools/hostile.py boots them.
# SECONDS=60 CPUS=4 SEED=N for run-stress and run-fuzz; CPUS=1,2,4,8 is a run on each.

CPUS ?= 4
SEED ?=
ICOUNT ?=

.PHONY: run-spawn run-hostile run-stress run-fuzz

run-spawn: build other-builds ## processes, threads, parking, endpoints and transfer, on 1, 2, 4 and 8 CPUs, in three builds
	@$(SUITE) tools/hostile.py spawn

run-hostile: build other-builds ## attacks from ring 3, on 1, 2, 4 and 8 CPUs, and in a debug build
	@$(SUITE) tools/hostile.py hostile

run-stress: build ## sixteen processes at random for SECONDS=60 on CPUS=4 (CPUS=1,2: on each)
	@$(SUITE) tools/hostile.py stress --seconds $(SECONDS) --cpus $(CPUS) $(if $(SEED),--seed $(SEED))

run-fuzz: build ## random ring traffic from ring 3 for SECONDS=60 on CPUS=4; ICOUNT=1 SEED=N: twice alike on one CPU
	@$(SUITE) tools/fuzz_rings.py --seconds $(SECONDS) --cpus $(CPUS) $(if $(SEED),--seed $(SEED)) $(if $(ICOUNT),--icount)
