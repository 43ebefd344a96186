#include "kernel/debug/protection_report.h"

#include <stddef.h>

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/port.h"
#include "kernel/arch/x86_64/trap.h"
#include "lib/format.h"

#define OUTCOME_BYTES 48u
#define ADDRESS_BITS 52u /* that a page table has room for */

/* A port that reads as its own number in Bochs, if its configuration has port_e9_hack, and as all ones elsewhere. */
#define BOCHS_PORT 0xe9u

static uint32_t passed, failed, left_out;
static const char *first_failed;
static bool is_tcg, is_bochs;

void protection_report_begin(void)
{
	is_tcg = features_get()->hypervisor_is_tcg;
	is_bochs = !features_get()->hypervisor && inb(BOCHS_PORT) == BOCHS_PORT;
	passed = failed = left_out = 0;
	first_failed = NULL;
}

static const char *missing(enum protection_need need)
{
	const struct cpu_features *f = features_get();

	switch (need) {
	case NEEDS_NOTHING:
		return NULL;
	case NEEDS_SMEP:
		return f->smep ? NULL : "SMEP";
	case NEEDS_SMAP:
		return f->smap ? NULL : "SMAP";
	case NEEDS_GLOBAL_PAGES:
		return f->global_pages ? NULL : "global pages";
	case NEEDS_PCID:
		return f->pcid ? NULL : "PCIDs";
	case NEEDS_FSGSBASE:
		return f->fsgsbase ? NULL : "FSGSBASE";
	case NEEDS_XSAVE:
		return f->xsave ? NULL : "XSAVE";
	case NEEDS_LA57:
		return f->la57 ? NULL : "57-bit addresses";
	case NEEDS_SPARE_ADDRESS_BITS:
		return f->physical_bits < ADDRESS_BITS ? NULL : "reserved address bits";
	}
	return "such thing";
}

static const char *text_of(struct outcome outcome, char *text)
{
	switch (outcome.kind) {
	case OUTCOME_AS_HARDWARE:
	case OUTCOME_LOST:
	case OUTCOME_ALLOWED:
		return "no fault";
	case OUTCOME_KEPT:
		return "older translation";
	case OUTCOME_FORGOTTEN:
		return "page table";
	case OUTCOME_FAULT:
	case OUTCOME_WRONG_STACK:
		break;
	}
	(void)format(text, OUTCOME_BYTES, "%s 0x%x%s", trap_name(outcome.vector), outcome.error,
		     outcome.kind == OUTCOME_WRONG_STACK ? " on another stack" : "");
	return text;
}

/* What this emulator does instead, if anything. */
static struct outcome deviation(const struct expectation *expectation)
{
	if (is_tcg)
		return expectation->tcg;
	return is_bochs ? expectation->bochs : (struct outcome){ OUTCOME_AS_HARDWARE, 0, 0 };
}

bool protection_report_can_ask(const struct expectation *expectation)
{
	const char *lacks = missing(expectation->need);

	if (!lacks && deviation(expectation).kind != OUTCOME_LOST)
		return true;
	left_out++;
	if (lacks)
		log_line("protection: cpu %u: left out %s: no %s", cpu_index(), expectation->name, lacks);
	else
		log_line("protection: cpu %u: left out %s: it is not refused here, and then nothing works", cpu_index(),
			 expectation->name);
	return false;
}

static bool same(struct outcome a, struct outcome b)
{
	return a.kind == b.kind && a.vector == b.vector && a.error == b.error;
}

void protection_report_seen(const struct expectation *expectation, struct outcome seen)
{
	struct outcome known = deviation(expectation);
	bool deviates = known.kind != OUTCOME_AS_HARDWARE;
	bool is_right = same(seen, deviates ? known : expectation->hardware);
	char wanted_text[OUTCOME_BYTES], seen_text[OUTCOME_BYTES];

	log_line("protection: cpu %u: %s %s: %sexpected %s, seen %s", cpu_index(), is_right ? "ok" : "FAILED",
		 expectation->name, is_right && deviates ? "deviates: " : "",
		 text_of(expectation->hardware, wanted_text), text_of(seen, seen_text));
	if (is_right) {
		passed++;
		return;
	}
	failed++;
	if (!first_failed)
		first_failed = expectation->name;
}

const char *protection_report_end(void)
{
	log_line("protection: cpu %u: %u passed, %u failed, %u left out", cpu_index(), passed, failed, left_out);
	return first_failed;
}
