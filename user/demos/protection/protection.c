/*
 * protection: what ring 3 may not do, each case in a process of its own, and how the hardware ends it. A line a case:
 * "ok NAME: expected ..., seen ..." or "FAILED NAME: ..."; the last line is "N passed, N failed"; exit code 0 only if
 * none failed.
 */
#include <stddef.h>

#include "lib/check.h"
#include "lib/fault_name.h"
#include "lib/format.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/demos/protection/access_cases.h"
#include "user/demos/protection/privileged_cases.h"
#include "user/demos/protection/privileged_code.h"
#include "user/demos/protection/ring3_case.h"
#include "user/runtime/print.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define FAULT_CODE 128 /* exit code of a fault: this and the vector */
#define WRONG_CODE 1   /* no fault, but not what was wanted either */
#define TEXT_BYTES 96u

/* CPUID: leaf, register, bit (SDM vol. 2, CPUID). */
#define LEAF_VENDOR 0u
#define LEAF_FEATURES 1u
#define LEAF_EXTENDED_FEATURES 7u
#define LEAF_HYPERVISOR 0x40000000u
enum cpuid_register {
	REGISTER_EAX,
	REGISTER_EBX,
	REGISTER_ECX,
	REGISTER_EDX
};
#define INTEL 0x756e6547u /* "Genu" */
#define AMD 0x68747541u   /* "Auth" */
#define TCG 0x54474354u   /* "TCGT" */

static uint32_t left_out;

static bool has_bit(uint32_t leaf, enum cpuid_register number, uint32_t bit)
{
	return leaf <= code_cpuid_word(LEAF_VENDOR, REGISTER_EAX) && (code_cpuid_word(leaf, number) >> bit & 1) != 0;
}

static bool is_tcg(void)
{
	return has_bit(LEAF_FEATURES, REGISTER_ECX, 31) && code_cpuid_word(LEAF_HYPERVISOR, REGISTER_EBX) == TCG;
}

static const char *missing(enum case_need need)
{
	switch (need) {
	case NEEDS_NOTHING:
		return NULL;
	case NEEDS_SMAP:
		return has_bit(LEAF_EXTENDED_FEATURES, REGISTER_EBX, 20) ? NULL : "SMAP";
	case NEEDS_UMIP:
		return has_bit(LEAF_EXTENDED_FEATURES, REGISTER_ECX, 2) ? NULL : "UMIP";
	case NEEDS_FSGSBASE:
		return has_bit(LEAF_EXTENDED_FEATURES, REGISTER_EBX, 0) ? NULL : "FSGSBASE";
	case NEEDS_INVPCID:
		return has_bit(LEAF_EXTENDED_FEATURES, REGISTER_EBX, 10) ? NULL : "INVPCID";
	case NEEDS_XSAVE:
		return has_bit(LEAF_FEATURES, REGISTER_ECX, 27) ? NULL : "XSAVE";
	case NEEDS_INTEL:
		return code_cpuid_word(LEAF_VENDOR, REGISTER_EBX) == INTEL ? NULL : "CPU of Intel's";
	case NEEDS_AMD:
		return code_cpuid_word(LEAF_VENDOR, REGISTER_EBX) == AMD ? NULL : "CPU of AMD's";
	}
	return "such thing";
}

/* ---- how it ends ---- */

static const char *ending_text(const struct ending *ending, char *text)
{
	if (ending->kind != ENDING_FAULT)
		return "no fault";
	(void)format(text, TEXT_BYTES, "vector %u error 0x%x %s", ending->vector, ending->error,
		     fault_name(ending->fault));
	return text;
}

static const char *exit_text(const struct process_exit *exit, char *text)
{
	if (exit->end == PROCESS_FAULTED)
		(void)format(text, TEXT_BYTES, "vector %ld %s at 0x%lx rip 0x%lx", (long)exit->code - FAULT_CODE,
			     fault_name((enum user_fault_kind)exit->fault_kind), (unsigned long)exit->fault_address,
			     (unsigned long)exit->fault_rip);
	else if (exit->end == PROCESS_EXITED && exit->code == 0)
		return "no fault";
	else
		(void)format(text, TEXT_BYTES, "end %u code %ld", exit->end, (long)exit->code);
	return text;
}

/* An address that the case does not name is the instruction's, unless it is a page's. */
static bool is_right_address(const struct ring3_case *at, const struct ending *wanted, const struct process_exit *exit)
{
	if (at->address != 0)
		return exit->fault_address == at->address;
	return wanted->vector == 14 || exit->fault_address == exit->fault_rip;
}

static bool is_so(const struct ring3_case *at, const struct ending *wanted, const struct process_exit *exit)
{
	if (wanted->kind != ENDING_FAULT)
		return exit->end == PROCESS_EXITED && exit->code == 0;
	return exit->end == PROCESS_FAULTED && exit->code == FAULT_CODE + (int64_t)wanted->vector &&
	       exit->fault_kind == (uint32_t)wanted->fault && is_right_address(at, wanted, exit);
}

/* ---- cases ---- */

static void judge(const struct ring3_case *at, const struct process_exit *exit)
{
	bool deviates = is_tcg() && at->tcg.kind != ENDING_AS_HARDWARE;
	const struct ending *wanted = deviates ? &at->tcg : &at->hardware;
	bool is_right = is_so(at, wanted, exit);
	char expected[TEXT_BYTES], here[TEXT_BYTES], seen[TEXT_BYTES];

	print("%s %s: ", is_right ? "ok" : "FAILED", at->name);
	if (deviates)
		print("deviates: hardware %s: ", ending_text(&at->hardware, expected));
	print("expected %s, seen %s\n", ending_text(wanted, here), exit_text(exit, seen));
	if (is_right)
		trial.passed++;
	else
		trial.failed++;
}

static void run(const struct ring3_case *at)
{
	const char *lacks = missing(at->need);
	struct process_builder builder;
	struct process_client process;
	struct process_exit exit;

	if (lacks) {
		left_out++;
		print("left out %s: no %s\n", at->name, lacks);
		return;
	}
	trial_child_build(&builder, at->name);
	CHECK(trial_child_start(&builder, &process) == STATUS_OK);
	exit = trial_child_wait(process);
	CHECK(ring_client_release(process.handle) == STATUS_OK);
	judge(at, &exit);
}

static const struct ring3_case *find(const char *name)
{
	uint32_t count;

	for (const struct ring3_case *at = access_cases(&count), *end = at + count; at < end; at++)
		if (string_equal(at->name, name))
			return at;
	for (const struct ring3_case *at = privileged_cases(&count), *end = at + count; at < end; at++)
		if (string_equal(at->name, name))
			return at;
	return NULL;
}

static int run_as_child(void)
{
	const struct ring3_case *at = find(trial.argv[2]);

	CHECK(at);
	return at->run() ? 0 : WRONG_CODE;
}

static void run_all(void)
{
	const struct ring3_case *at;
	uint32_t count;

	at = access_cases(&count);
	for (uint32_t i = 0; i < count; i++)
		run(&at[i]);
	at = privileged_cases(&count);
	for (uint32_t i = 0; i < count; i++)
		run(&at[i]);
}

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	trial_begin("protection", argc, argv);
	if (trial_is_role())
		return run_as_child();
	if (!trial_has_everything())
		return 1;
	trial_check_one("nothing-is-left", "", run_all);
	print("%u cases left out\n", left_out);
	return trial_end();
}
