#include "kernel/arch/x86_64/user_mode.h"

#include "abi/status.h"
#include "abi/syscall_abi.h"
#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/offsets.h"

_Static_assert(SYSCALL_CAP_ENTER == 0, "syscall_entry.S tests for zero");
_Static_assert(SYSCALL_EXIT == SYSCALL_EXIT_NUMBER, "offsets.h");
_Static_assert(STATUS_UNSUPPORTED == STATUS_UNSUPPORTED_NUMBER, "offsets.h");
_Static_assert(SELECTOR_KERNEL_DATA == SELECTOR_KERNEL_CODE + 8, "SYSCALL loads SS from the next one");
_Static_assert(SELECTOR_USER_CODE == SELECTOR_USER_DATA + 8, "SYSRET loads CS from the next one");

#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_SFMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_KERNEL_GS_BASE 0xc0000102u /* in kernel mode: the program's GS base */

#define EFER_SYSCALL UINT64_C(1)

#define FLAG_TRAP (UINT64_C(1) << 8)
#define FLAG_INTERRUPT (UINT64_C(1) << 9)
#define FLAG_DIRECTION (UINT64_C(1) << 10)
#define FLAG_IO_PRIVILEGE (UINT64_C(3) << 12)
#define FLAG_NESTED_TASK (UINT64_C(1) << 14)
#define FLAG_RESUME (UINT64_C(1) << 16)
#define FLAG_ALIGNMENT_CHECK (UINT64_C(1) << 18)

/* syscall_entry.S */
extern const char syscall_entry[];

void user_mode_init(void)
{
	uint64_t sysret_base = SELECTOR_USER_DATA - 8; /* SYSRET adds 8 for SS, 16 for CS */

	wrmsr(MSR_STAR, sysret_base << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	wrmsr(MSR_SFMASK, FLAG_TRAP | FLAG_INTERRUPT | FLAG_DIRECTION | FLAG_IO_PRIVILEGE | FLAG_NESTED_TASK |
				  FLAG_RESUME | FLAG_ALIGNMENT_CHECK);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SYSCALL);
}

void user_mode_save_segments(struct user_segments *segments)
{
	if (features_get()->fsgsbase) {
		segments->fs_base = fs_base_read();
		segments->gs_base = hidden_gs_base_read();
	} else {
		segments->fs_base = rdmsr(MSR_FS_BASE);
		segments->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
	}
}

/* A null selector clears the base that is loaded on some CPUs and not on others, so bases come after selectors. */
void user_mode_load_segments(const struct user_segments *segments)
{
	data_segments_clear();
	if (features_get()->fsgsbase) {
		fs_base_write(segments->fs_base);
		hidden_gs_load(segments->gs_base);
	} else {
		hidden_gs_clear();
		wrmsr(MSR_FS_BASE, segments->fs_base);
		wrmsr(MSR_KERNEL_GS_BASE, segments->gs_base);
	}
}
