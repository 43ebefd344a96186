/*
 * memoryobject-shared-child: answers the questions in a memory object of somebody else's (user/protocol/shared_page.h).
 * The object is in its CapSet, or comes by a call of its endpoint. Exit code 0 if the object was given back in the end.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/check.h"
#include "user/protocol/shared_page.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/memory_object_client.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"
#include "user/runtime/ring_client.h"

static struct memory_object_client object; /* while `page` is not NULL */
static struct shared_page *page;
static uint64_t pages;

static enum status take(handle_t handle)
{
	struct memory_object_window window = { .protection = PROTECTION_READ | PROTECTION_WRITE };
	struct memory_object_info info;
	void *address;

	GUARD(page == NULL, STATUS_OCCUPIED);
	object.handle = handle;
	TRY(memory_object_client_info(object, &info));
	window.length = info.size;
	TRY(memory_object_client_map(object, &window, &address));
	page = address;
	pages = info.page_count;
	print("child: mapped %lu pages\n", pages);
	return STATUS_OK;
}

static enum status answer(uint64_t *words)
{
	GUARD(page != NULL, STATUS_NOT_FOUND);
	for (uint64_t i = 0; i < pages; i++)
		for (uint64_t word = 0; word < SHARED_PAGE_WORDS; word++)
			page[i].answer[word] = shared_page_answer(page[i].question[word]);
	*words = pages * SHARED_PAGE_WORDS;
	print("child: answered %lu words\n", *words);
	return STATUS_OK;
}

/* Unmap first: without the capability nothing could unmap it any more. */
static enum status drop(void)
{
	GUARD(page != NULL, STATUS_NOT_FOUND);
	TRY(memory_object_client_unmap(object, page, pages * PAGE_SIZE));
	TRY(ring_client_release(object.handle));
	page = NULL;
	print("child: unmapped and released\n");
	return STATUS_OK;
}

static enum status answer_granted(handle_t handle)
{
	uint64_t words;

	TRY(take(handle));
	TRY(answer(&words));
	return drop();
}

/* What comes with a call belongs to whoever received it: what TAKE does not keep is given up. */
static enum status take_from(const struct endpoint_message *call)
{
	enum status status;

	GUARD(call->capabilities == 1, STATUS_BAD_ARGUMENT);
	status = call->capability[0].interface == INTERFACE_MEMORY_OBJECT ? take(call->capability[0].capability)
									  : STATUS_WRONG_INTERFACE;
	if (status != STATUS_OK)
		TRY(ring_client_release(call->capability[0].capability));
	return status;
}

static enum status carry_out(const struct endpoint_message *call, uint64_t *value)
{
	switch (call->method) {
	case SHARED_PAGE_TAKE:
		return take_from(call);
	case SHARED_PAGE_ANSWER:
		return answer(value);
	case SHARED_PAGE_DROP:
		return drop();
	}
	return STATUS_UNSUPPORTED;
}

static enum status serve(struct endpoint_client requests)
{
	struct endpoint_message call = { .method = SHARED_PAGE_TAKE };

	while (call.method != SHARED_PAGE_DROP) {
		struct endpoint_answer reply = { 0 };

		TRY(endpoint_client_receive(requests, (struct endpoint_intake){ &call, sizeof(call), page == NULL }));
		reply.call = call.call;
		reply.answer = carry_out(&call, &reply.value);
		TRY(endpoint_client_return(requests, &reply));
	}
	return STATUS_OK;
}

static enum status run(void)
{
	struct endpoint_client requests;
	handle_t granted;

	if (capset_client_find(SHARED_PAGE_OBJECT, INTERFACE_MEMORY_OBJECT, &granted) == STATUS_OK)
		return answer_granted(granted);
	TRY(capset_client_find(SHARED_PAGE_REQUESTS, INTERFACE_ENDPOINT, &requests.handle));
	return serve(requests);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	return program_code(run());
}
