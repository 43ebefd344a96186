# Programs of several processes, each as init of a machine of its own (tools/processes.py).

.PHONY: run-memoryobject-shared run-ipc-zerocopy run-kv

# Of run-kv. The long form: make run-kv OPERATIONS=1000000
OPERATIONS ?= 20000

run-memoryobject-shared: build other-builds ## one memory object, mapped by a parent and its child
	@$(SUITE) tools/processes.py memoryobject-shared

run-ipc-zerocopy: build other-builds ## records through shared pages; calls carry numbers and checksums alone
	@$(SUITE) tools/processes.py ipc-zerocopy

run-kv: build other-builds ## a key-value service, and clients that are killed on the way (OPERATIONS=1000000)
	@$(SUITE) tools/processes.py kv $(OPERATIONS)
