/*
 * Boot, in order. Each step needs the ones before it, for the reason given. A step that fails says what is missing in
 * one line and halts.
 */
#include "kernel/main.h"

#include <stddef.h>

#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/halt.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/arch/x86_64/time_limit.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/boot_option.h"
#include "kernel/cap/supervisor.h"
#include "kernel/debug/fault.h"
#include "kernel/debug/protection_suite.h"
#include "kernel/debug/selftest.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/boot_memory.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "kernel/mem/paging_check.h"
#include "kernel/mem/shortage.h"
#include "kernel/task/boot_package.h"
#include "kernel/task/console_start.h"
#include "kernel/task/cpu_start.h"
#include "kernel/task/entropy.h"
#include "lib/status.h"

#define FOUR_GIB (UINT64_C(1) << 32)

/* A machine that cannot run the system: say why, in one line. */
static void must(enum status status, const char *what)
{
	if (status == STATUS_OK)
		return;
	log_line("cannot boot: %s: %s", what, status_name(status));
	machine_halt(1);
}

static const struct boot_info *collect_boot_info(void)
{
	const char *what = "loader data";
	enum status status = boot_info_collect(&what);

	must(status, what);
	log_line("boot: %s%s, %llu MiB usable, %u map entries dropped", boot_info_get()->loader,
		 boot_info_get()->door == BOOT_DOOR_PVH ? "" : ", Limine protocol",
		 (unsigned long long)memory_map_frames(&boot_info_get()->map, MEMORY_USABLE) >> 8,
		 boot_info_get()->map.dropped);
	return boot_info_get();
}

static void start_entropy(const struct boot_info *info, const struct boot_options *options)
{
	if (options->has_seed)
		entropy_start_seeded(options->seed);
	else
		entropy_start(info->entropy, info->entropy_words);
}

static void collect_acpi(void)
{
	const char *what = "ACPI";
	enum status status = boot_info_collect_acpi(paging_map_temporary, &what);

	if (status != STATUS_OK)
		log_line("acpi: %s: %s; going on with what is known", what, status_name(status));
}

static void start_apic_and_clock(const struct boot_info *info)
{
	volatile void *registers = NULL;

	if (!apic_is_x2apic())
		must(paging_map_device(info->local_apic, PAGE_SIZE, &registers), "local APIC");
	apic_init(registers);
	clock_init(info->pm_timer_port);
}

/* All RAM that is neither the kernel's nor the package's becomes free frames. */
static void start_frames(void)
{
	const struct memory_map *map;
	struct frame_statistics frames;
	uint64_t bytes;
	paddr_t storage;

	boot_memory_raise_limit();
	boot_memory_reclaim();
	bytes = frame_storage_bytes(memory_map_end_of_ram(boot_memory_map()));
	must(boot_memory_take((bytes + PAGE_SIZE - 1) / PAGE_SIZE, &storage), "memory for the frame table");
	map = boot_memory_map();
	must(frame_init(map, direct_map_of_paddr(storage)), "frame allocator");
	paging_use_frames();
	must(kernel_stack_init(), "page tables of kernel stacks");
	frame_statistics_read(&frames);
	log_line("frames: %llu of RAM, %llu free, %llu KiB of bookkeeping, %llu blocks of 2 MiB",
		 (unsigned long long)frames.total, (unsigned long long)frames.free, (unsigned long long)bytes >> 10,
		 (unsigned long long)frames.free_blocks);
}

static void check_kernel_half(const struct boot_options *options)
{
	struct paging_report report;

	if (!options->check)
		return;
	if (!paging_check_run(&report))
		panic("kernel half: %s at 0x%llx", report.broken, (unsigned long long)report.bad_address);
	log_line("paging: self-check of %llu entries passed, %llu executable pages", (unsigned long long)report.entries,
		 (unsigned long long)report.executable_pages);
}

_Noreturn void kernel_main(void)
{
	struct boot_options options;
	const struct boot_info *info;

	serial_init();              /* so that everything after can say what is wrong */
	cpu_init_boot();            /* faults from here on are reported, not resets */
	features_detect();          /* NX before the first page table with it */
	fpu_init();                 /* page_zero uses vector stores */
	info = collect_boot_info(); /* the last look at the loader's data */
	boot_option_parse(info->command_line, &options);
	direct_map_base = info->early_map;
	shortage_begin_boot(options.shortage);
	boot_memory_init(&info->map, info->early_map_limit < FOUR_GIB ? info->early_map_limit : FOUR_GIB);
	must(paging_init(info), "kernel page tables"); /* own root: the loader's tables are no longer used */
	features_enable_protection(); /* needs the own tables: they have no user or writable text pages */
	features_report();
	collect_acpi(); /* needs the temporary window */
	start_apic_and_clock(info);
	console_start(&info->interrupts, options.console_polled); /* needs the APIC, and pages for devices */
	start_entropy(info, &options);                            /* timers run, which are one of its sources */
	cpu_start_all(info); /* memory below 4 GiB is still at hand, and the clock runs */
	start_frames();      /* loader memory is free now: no CPU runs on it any more */
	check_kernel_half(&options);
	must(boot_package_open(info), "boot package");
	if (options.selftest)
		selftest_run();
	if (options.protection)
		protection_suite_run();
	if (options.overflow[0] != 0)
		selftest_overflow(options.overflow);
	address_space_audit_begin(options.paranoid);
	time_limit_begin(options.limit_us * 1000); /* from here on somebody waits, if it takes long */
	if (options.fault[0] != 0)
		fault_commit(options.fault);
	log_line("ready: %u cpus, %llu MiB free, %llu ms", cpu_online_count(),
		 (unsigned long long)frame_free_count() >> 8, (unsigned long long)clock_now_ns() / 1000000);
	supervisor_run(options.init[0] != 0 ? options.init : NULL, options.once);
}
