/*
 * A thread that waits for completions, on a CPU that idles when it sleeps, and whoever completes, on another CPU: no
 * completion is lost, the thread is in a queue at most once and never runs while it is in one.
 *
 * run sequential: -a -f
 * run store_buffer: -DBUFFER -a -f
 * run no_fence: -DBUFFER -DBROKEN_NO_FENCE -a -f
 * run no_second_look: -DBROKEN_NO_SECOND_LOOK -a -f
 * run no_pending: -DBROKEN_NO_PENDING -a -f
 * run still_on_cpu: -DBROKEN_STILL_ON_CPU -a -f
 *
 * BUFFER: the waker's store to the queue stays in its store buffer until a locked instruction or any time before.
 */
#define COMPLETIONS 3

mtype = { RUNNING, BLOCKED, READY };

byte done;              /* thread.done: pushed and not yet posted */
byte posted;
mtype state = RUNNING;  /* thread.state, thread.lock */
bit wake_pending;       /* the same */
bit on_cpu = 1;         /* the same */
bit lock;               /* thread.lock */
bit queued;             /* in the run queue of its CPU */
bit buffered;           /* the waker has put it there, and its store is not in memory yet */
bit idle;               /* the CPU's bit in idle_mask */
bit interrupt;          /* CPU_ATTENTION_RESCHEDULE and the IPI; it ends HLT even if it came before (sti_hlt_cli) */
bit runs;               /* the thread's code is what its CPU executes */

inline acquire() { atomic { lock == 0 -> lock = 1 } }
inline release() { lock = 0 }

/* enqueue: run_queue_add, the fence, the look at who idles, interrupt_cpu. `buffers` if the caller has a store buffer */
inline enqueue(buffers)
{
	assert(!queued && !buffered && !on_cpu); /* whoever takes it uses its stack */
#ifdef BUFFER
	if
	:: buffers -> buffered = 1
	:: else -> queued = 1
	fi;
#ifndef BROKEN_NO_FENCE
	atomic { queued = queued || buffered; buffered = 0 };
#endif
#else
	queued = 1;
#endif
	if
	:: idle -> interrupt = 1
	:: else /* it runs something: it looks at its queue before it idles */
	fi
}

#ifdef BUFFER
active proctype store_buffer()
{
end:	do
	:: atomic { buffered -> queued = 1; buffered = 0 }
	od
}
#endif

/* operation_complete: push_done, then scheduler_wake (make_ready, enqueue) */
active proctype completer()
{
	byte n;
	bit is_ready;

	do
	:: n < COMPLETIONS ->
		n++;
		done++;
		acquire();
#ifdef BROKEN_STILL_ON_CPU
		is_ready = state == BLOCKED;
#else
		is_ready = state == BLOCKED && !on_cpu;
#endif
		if
		:: is_ready -> state = READY
		:: else ->
#ifndef BROKEN_NO_PENDING
			wake_pending = 1
#else
			skip
#endif
		fi;
		release();
		if
		:: is_ready -> enqueue(1)
		:: else
		fi
	:: else -> break
	od
}

/* The CPU: the thread in wait_for, until it sleeps; then scheduler_idle, until it takes the thread again. */
active proctype processor()
{
	bit sleeps, is_ready;

	runs = 1;
wait_for:
	/* operation_post_done */
	atomic { posted = posted + done; done = 0 };
	if
	:: posted == COMPLETIONS -> goto complete
	:: else
	fi;
	/* scheduler_block */
	acquire();
	sleeps = !wake_pending;
	wake_pending = 0;
	if
	:: sleeps -> state = BLOCKED
	:: else
	fi;
	release();
	if
	:: !sleeps -> goto wait_for
	:: else
	fi;
	/* switch_to the idle context; finish_switch */
	runs = 0;
	acquire();
	on_cpu = 0;
	if
	:: state == BLOCKED && wake_pending -> wake_pending = 0; state = READY; is_ready = 1
	:: else -> is_ready = 0
	fi;
	release();
	if
	:: is_ready -> enqueue(0)
	:: else
	fi;
	/* scheduler_idle */
	do
	:: interrupt = 0;
	   if
	   :: queued -> queued = 0; break /* take_next */
	   :: else
	   fi;
	   idle = 1;
#ifndef BROKEN_NO_SECOND_LOOK
	   if
	   :: queued || interrupt -> skip /* something_is_ready */
	   :: else -> interrupt == 1      /* sti_hlt_cli */
	   fi;
#else
	   interrupt == 1;
#endif
	   idle = 0
	od;
	/* switch_to the thread; enter_thread */
	assert(state == READY && !runs && !queued);
	state = RUNNING;
	on_cpu = 1;
	runs = 1;
	goto wait_for;
complete:
	skip
}

ltl all_are_posted { <> (posted == COMPLETIONS) }
