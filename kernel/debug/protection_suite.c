#include "kernel/debug/protection_suite.h"

#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/debug/protection_pages.h"
#include "kernel/debug/protection_registers.h"
#include "kernel/debug/protection_report.h"
#include "kernel/debug/protection_stacks.h"
#include "kernel/debug/protection_translations.h"
#include "kernel/debug/test_space.h"

static void run_on_cpu(void *first_failed)
{
	struct test_space space;

	protection_report_begin();
	test_space_make(&space);
	test_space_enter(&space);
	protection_pages_run(&space);
	protection_translations_run(&space);
	test_space_leave(&space);
	test_space_destroy(&space);
	protection_registers_run();
	protection_stacks_run();
	*(const char **)first_failed = protection_report_end();
}

void protection_suite_run(void)
{
	const char *failed = NULL;

	for (uint32_t i = 0; i < cpu_online_count(); i++) {
		const char *here;

		smp_call(i, run_on_cpu, &here);
		failed = failed ? failed : here;
	}
	if (failed)
		panic("protection: FAILED %s", failed);
}
