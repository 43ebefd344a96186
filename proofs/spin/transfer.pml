/*
 * A capability that travels with a CALL, and back with its RETURN, by move or by copy, while another thread of the
 * caller's process releases it or ends the process, and the server ends at any time. Each hold stands in exactly one
 * table or is gone, its object ends once and not under anybody's hands, and a caller that lives gets an answer.
 *
 * run sequential: -a -f
 * run store_buffer: -DBUFFER -a -f
 * run not_moving: -DBROKEN_NOT_MOVING -a -f
 * run no_use: -DBROKEN_NO_USE -a -f
 * run publish_first: -DBROKEN_PUBLISH_FIRST -a -f
 * run outside_the_lock: -DBROKEN_OUTSIDE -a -f
 * run not_taken_back: -DBROKEN_NOT_TAKEN_BACK -a -f
 * run no_meeting: -DBUFFER -DBROKEN_NO_MEETING -a -f
 * run not_shut: -DBROKEN_NOT_SHUT -a -f
 * run late_call: -DBROKEN_LATE_CALL -a -f
 *
 * BUFFER: a store that gives up a lock stays in its CPU's store buffer until a locked instruction of that CPU or any
 * time before, and with it what was stored under the lock.
 */
mtype = { FREE, RESERVED, LIVE, MOVING };
mtype = { NOWHERE, CALLS, SERVED };

#define CALLER 0   /* the caller's process, its thread */
#define SIBLING 1  /* another thread of it */
#define SERVER 2
#define ORIGINAL 0 /* the three slots: as sent, in the caller's table */
#define SENT 1     /* in the server's */
#define RETURNED 2 /* in the caller's again */

#define ENDPOINT 0 /* the locks: endpoint.lock, and cap_lock of the caller's process and of the server's */
#define TABLE_A 1
#define TABLE_B 2

bit lock[3];
bit release_buffered[9];  /* by CPU and lock */
mtype slot[3] = FREE;     /* cap_slot.state */
byte holds, uses;         /* of the object; its own lock */
bit gone;                 /* its frames have been freed */
mtype queue = NOWHERE;    /* of the CALL */
bit is_shut;              /* endpoint.lock */
bit done;                 /* push_done */
bit came_back;            /* the completion has a capability */
bit answered;             /* the caller's program knows */
bit thread_gone;          /* the caller's thread has been reclaimed */
bit ending;               /* of the caller's process */
byte live = 2;            /* threads of it */

/* A locked instruction empties its CPU's store buffer. */
inline drain(cpu)
{
	d_step {
		lock[0] = lock[0] && !release_buffered[cpu * 3];
		lock[1] = lock[1] && !release_buffered[cpu * 3 + 1];
		lock[2] = lock[2] && !release_buffered[cpu * 3 + 2];
		release_buffered[cpu * 3] = 0;
		release_buffered[cpu * 3 + 1] = 0;
		release_buffered[cpu * 3 + 2] = 0
	}
}

inline acquire(cpu, which)
{
	atomic { (lock[which] == 0 || release_buffered[cpu * 3 + which]) -> drain(cpu); lock[which] = 1 }
}

inline release(cpu, which)
{
#ifdef BUFFER
	release_buffered[cpu * 3 + which] = 1
#else
	lock[which] = 0
#endif
}

#ifdef BUFFER
active proctype store_buffers()
{
end:	do
	:: atomic { release_buffered[0] || release_buffered[1] || release_buffered[2] -> drain(CALLER) }
	:: atomic { release_buffered[3] || release_buffered[4] || release_buffered[5] -> drain(SIBLING) }
	:: atomic { release_buffered[6] || release_buffered[7] || release_buffered[8] -> drain(SERVER) }
	od
}
#endif

/* ---- hold.c, memory_object.c: each a locked step ---- */

inline hold_use(cpu) { d_step { drain(cpu); assert(!gone && holds > 0); uses++ } }
inline hold_add(cpu) { d_step { drain(cpu); assert(!gone); holds++ } }

/* unlock_or_sweep */
inline sweep() { gone = holds == 0 && uses == 0 }

inline hold_drop(cpu) { d_step { drain(cpu); assert(!gone && holds > 0); holds--; sweep() } }
inline hold_end_use(cpu) { d_step { drain(cpu); assert(!gone && uses > 0); uses--; sweep() } }

/* process_capability_release: cap_table_remove finds LIVE slots alone */
inline capability_release(cpu, which, table)
{
	acquire(cpu, table);
	if
	:: slot[which] == LIVE -> slot[which] = FREE; found = 1
	:: else -> found = 0
	fi;
	release(cpu, table);
	if
	:: found -> hold_drop(cpu)
	:: else
	fi
}

/* ---- transfer.c: from one slot to another; `refused` if nothing has moved. By the server's CPU ---- */

inline transfer(from, to, from_table, to_table)
{
	/* transfer_prepare: take_copy, take_move (cap_table_move_begin) */
	refused = 0;
	acquire(SERVER, from_table);
	if
	:: slot[from] != LIVE -> refused = 1
	:: else ->
		if
		:: moves ->
#ifndef BROKEN_NOT_MOVING
			slot[from] = MOVING
#else
			skip
#endif
		:: else ->
#ifndef BROKEN_NO_USE
			hold_use(SERVER)
#else
			skip
#endif
		fi
	fi;
	release(SERVER, from_table);
	if
	:: refused
	:: else ->
		/* reserve_all, or the receiver's limits refuse: give_back */
		acquire(SERVER, to_table);
		if
		:: slot[to] = RESERVED
		:: refused = 1
		fi;
		release(SERVER, to_table);
		if
		:: refused && moves ->
			acquire(SERVER, from_table);
			slot[from] = LIVE;
			release(SERVER, from_table)
		:: else
		fi;
		if
		:: refused
		:: else ->
			/* transfer_commit: hold_add, commit_move (and its refund, which reads the object), publish */
			if
			:: moves -> skip
			:: else -> hold_add(SERVER)
			fi;
#ifdef BROKEN_PUBLISH_FIRST
			acquire(SERVER, to_table);
			slot[to] = LIVE;
			release(SERVER, to_table);
#endif
			if
			:: moves ->
				acquire(SERVER, from_table);
				slot[from] = FREE;
				release(SERVER, from_table);
				assert(!gone)
			:: else
			fi;
#ifndef BROKEN_PUBLISH_FIRST
			acquire(SERVER, to_table);
			assert(slot[to] == RESERVED);
			slot[to] = LIVE;
			release(SERVER, to_table)
#endif
		fi;
		/* transfer_finish; it is called without a lock, which the object's order of locks alone asks for */
		if
		:: moves
		:: else ->
#ifndef BROKEN_NO_USE
			hold_end_use(SERVER)
#else
			skip
#endif
		fi
	fi
}

/* ---- the caller's process ---- */

/* process_end_thread: the last one out releases what the table has, and nothing is on its way in or out of it */
inline leave(cpu)
{
	d_step { drain(cpu); live--; is_last = live == 0; ending = ending || is_last };
	if
	:: is_last ->
		assert(slot[ORIGINAL] != MOVING && slot[RETURNED] != RESERVED);
		capability_release(cpu, ORIGINAL, TABLE_A);
		capability_release(cpu, RETURNED, TABLE_A)
	:: else
	fi
}

active proctype caller()
{
	bit found, is_last, waits;

	atomic { slot[ORIGINAL] = LIVE; holds = 1 };
	/* endpoint_call: open_locked */
	acquire(CALLER, ENDPOINT);
#ifdef BROKEN_LATE_CALL
	queue = CALLS;
#else
	if
	:: is_shut -> done = 1 /* GONE */
	:: else -> queue = CALLS
	fi;
#endif
	release(CALLER, ENDPOINT);
	/* cap_enter: until it is complete, or the process is to end */
	do
	:: done -> break
	:: ending -> break
	od;
	if
	:: done && !ending ->
		/* post: meet_completer, hand_out */
#ifndef BROKEN_NO_MEETING
		acquire(CALLER, ENDPOINT);
		release(CALLER, ENDPOINT);
#endif
		answered = 1;
		if
		:: came_back -> capability_release(CALLER, RETURNED, TABLE_A)
		:: skip /* it goes with the table */
		fi
	:: else ->
		/* operation_cancel_all: take_back, or give_up */
#ifdef BROKEN_NOT_TAKEN_BACK
		waits = !done;
#else
		acquire(CALLER, ENDPOINT);
		waits = queue != NOWHERE;
		queue = NOWHERE;
		release(CALLER, ENDPOINT);
#endif
		if
		:: waits -> skip
		:: else -> acquire(CALLER, ENDPOINT); release(CALLER, ENDPOINT)
		fi;
		if
		:: !waits && came_back -> capability_release(CALLER, RETURNED, TABLE_A)
		:: else
		fi
	fi;
	leave(CALLER);
	thread_gone = 1 /* process_reclaim_thread */
}

active proctype sibling()
{
	bit found, is_last;

	if
	:: capability_release(SIBLING, ORIGINAL, TABLE_A)
	:: capability_release(SIBLING, RETURNED, TABLE_A) /* if it guesses the id */
	:: ending = 1 /* process_end_begin */
	:: skip
	fi;
	leave(SIBLING)
}

/* ---- the server, a thread that is all of its process ---- */

/* operation_complete, operation_answer: the thread is woken after it may have seen that it is done */
inline complete()
{
	d_step { drain(SERVER); done = 1 };
	assert(!thread_gone)
}

active proctype server()
{
	bit found, refused, moves, serves;

	/* endpoint_look: look_step, deliver */
	do
	:: break /* it is killed before a call comes */
	:: serves == 0 && queue == CALLS ->
		if
		:: moves = 1
		:: moves = 0
		fi;
#ifdef BROKEN_OUTSIDE
		transfer(ORIGINAL, SENT, TABLE_A, TABLE_B);
#endif
		acquire(SERVER, ENDPOINT);
		if
		:: queue == CALLS ->
			queue = NOWHERE;
#ifndef BROKEN_OUTSIDE
			transfer(ORIGINAL, SENT, TABLE_A, TABLE_B);
#endif
			if
			:: refused -> complete()
			:: else -> queue = SERVED; serves = 1
			fi
		:: else
		fi;
		release(SERVER, ENDPOINT)
	od;
	/* what it does with it: nothing, release it, or endpoint_return with it */
	if
	:: skip
	:: serves -> capability_release(SERVER, SENT, TABLE_B)
	:: serves ->
		acquire(SERVER, ENDPOINT);
		if
		:: queue == SERVED ->
			if
			:: moves = 1
			:: moves = 0
			fi;
			transfer(SENT, RETURNED, TABLE_B, TABLE_A);
			if
			:: refused
			:: else -> queue = NOWHERE; came_back = 1; complete() /* finish_call */
			fi
		:: else /* GONE */
		fi;
		release(SERVER, ENDPOINT)
	fi;
	/* process_release_everything; the last owner goes: endpoint_drop_owner, shut */
	capability_release(SERVER, SENT, TABLE_B);
	acquire(SERVER, ENDPOINT);
	is_shut = 1;
#ifndef BROKEN_NOT_SHUT
	if
	:: queue != NOWHERE -> queue = NOWHERE; complete()
	:: else
	fi;
#endif
	release(SERVER, ENDPOINT)
}

/* No slot without its hold; and in the end, when both processes have gone, nothing is left of any. */
#define HELD(which) (slot[which] == LIVE || slot[which] == MOVING)
#define COUNTED (HELD(ORIGINAL) + HELD(SENT) + HELD(RETURNED) <= holds)
#define CLEAN (!HELD(ORIGINAL) && !HELD(SENT) && !HELD(RETURNED) && holds == 0 && uses == 0 && gone)

ltl all_is_well { [] COUNTED && <> (answered || ending) && <> [] CLEAN }
