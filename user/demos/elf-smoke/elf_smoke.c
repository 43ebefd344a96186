/*
 * elf-smoke: how a program finds itself at its start (abi/startup.h): the image as its file says, thread-local storage,
 * registers, stack, auxiliary vector, and nothing else mapped. Each fact is a line "ok NAME" or "FAILED NAME: what";
 * the last line is "N passed, N failed"; exit code 0 only if none failed.
 */
#include "user/demos/elf-smoke/fact.h"
#include "user/demos/elf-smoke/image_facts.h"
#include "user/demos/elf-smoke/space_facts.h"
#include "user/demos/elf-smoke/thread_facts.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"

int main(int argc, char **argv, char **envp)
{
	if (!fact_begin(argc, argv, envp))
		return 1;
	image_facts_check();
	thread_facts_check();
	space_facts_check();
	print("%u passed, %u failed\n", facts.passed, facts.failed);
	return facts.failed == 0 ? 0 : 1;
}
