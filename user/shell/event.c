#include "user/shell/event.h"

#include "lib/check.h"
#include "user/runtime/open_operation.h"
#include "user/shell/job.h"
#include "user/shell/keyboard.h"

enum status event_handle(uint64_t timeout_ns)
{
	struct ring_completion completion;

	TRY(open_operation_next(timeout_ns, &completion));
	if (completion.user_data == EVENT_KEY || completion.user_data == EVENT_INTERRUPT)
		keyboard_take(&completion);
	else
		job_take(&completion);
	return STATUS_OK;
}
