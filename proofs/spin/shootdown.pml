/*
 * TLB shootdown, frame reuse and warm address spaces (PCID): a page is unmapped on CPU 0 and its frame used anew, while
 * CPU 1 uses the space, changes another page of it, leaves it and comes back. Nobody may reach the frame once it is
 * somebody else's.
 *
 * run sequential: -n
 * run store_buffer: -DBUFFER
 * run no_fence: -DBUFFER -DBROKEN_NO_FENCE
 * run no_wait: -DBROKEN_NO_WAIT
 * run warm_again: -DBROKEN_WARM_AGAIN
 *
 * BUFFER: the store to the page table stays in CPU 0's store buffer until a locked instruction or any time before.
 * The broken runs show that the model sees the fault that is built in.
 */
bit pte = 1;         /* in memory: the page is mapped */
bit buffered;        /* CPU 0 has cleared it, and its store is not in memory yet */
bit residency[2];    /* struct address_space */
bit warm[2];         /* the same */
bit loaded[2];       /* whose CR3 has the space */
bit translation[2];  /* the TLB of each CPU has the page, tagged with the space's PCID */
bit inbox[2];        /* struct cpu: the other one asks */
bit pending[2];      /* tlb_request.pending: the other one has not answered */
bit reused;          /* the frame is somebody else's */

/* tlb_poll, or the interrupt: INVLPG reaches the PCID that is loaded, no other */
inline answer(me)
{
	atomic {
		pending[1 - me] = pending[1 - me] && !inbox[me];
		translation[me] = translation[me] && !(inbox[me] && loaded[me]);
		inbox[me] = 0
	}
}

/* address_space_changed: one locked instruction on `warm`, which empties the store buffer; then the look at residency */
inline changed(me, others)
{
#ifdef BROKEN_NO_FENCE
	skip;
#else
	atomic {
		pte = pte && !(me == 0 && buffered);
		buffered = buffered && me != 0;
#ifdef BROKEN_WARM_AGAIN
		warm[me] = residency[me];
#else
		warm[me] = warm[me] && residency[me];
#endif
		warm[1 - me] = 0
	}
#endif
	others = residency[1 - me]
}

/* flush in kernel/arch/x86_64/tlb.c: ask, do the own part, wait and answer meanwhile */
inline flush(me, others)
{
	if
	:: others ->
		pending[me] = 1;
		inbox[1 - me] = 1
	:: else
	fi;
#ifndef BROKEN_NO_WAIT
	do
	:: pending[me] == 0 -> break
	:: else -> answer(me)
	od
#endif
}

/* page_walk_run: clears the entry, page_walk_flush, frame_gather_give */
active proctype unmapper()
{
	bit others;

	residency[0] = 1;
	loaded[0] = 1;
#ifdef BUFFER
	buffered = 1;
#else
	pte = 0;
#endif
	changed(0, others);
	translation[0] = 0;
	flush(0, others);
	reused = 1;
	do /* in ring 3: interrupts are taken */
	:: inbox[0] -> answer(0)
	:: else -> break
	od;
end:	do
	:: inbox[0] -> answer(0)
	od
}

#ifdef BUFFER
active proctype store_buffer()
{
end:	do
	:: atomic { buffered -> pte = 0; buffered = 0 }
	od
}
#endif

active proctype user()
{
	bit others, was_warm;
	byte rounds;

	do
	:: rounds < 3 ->
		rounds++;
		/* address_space_enter_cpu */
		residency[1] = 1;
		atomic { was_warm = warm[1]; warm[1] = 1 };
		/* cr3_write in load_space */
		atomic {
			translation[1] = translation[1] && was_warm;
			loaded[1] = 1
		};
		/* ring 3 and system calls, until the thread leaves its CPU */
		do
		:: atomic {
			translation[1] = translation[1] || pte; /* a walk, if it is not there */
			assert(!(translation[1] && reused))
		   }
		:: inbox[1] -> answer(1) /* the interrupt */
		:: break
		:: changed(1, others); /* of another page */
		   flush(1, others);
		   break
		od;
		/* load_space: to another one, then address_space_leave_cpu */
		loaded[1] = 0;
		residency[1] = 0;
		do
		:: inbox[1] -> answer(1) /* the interrupt, too late for the PCID */
		:: break
		od
	:: else -> break
	od;
end:	do
	:: inbox[1] -> answer(1)
	od
}
