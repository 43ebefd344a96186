/*
 * Park and unpark: a thread parks while a word has the value it saw; another changes the word and wakes whoever parks
 * there. Nobody sleeps on a word that was changed before: no wake-up is lost.
 *
 * run sequential: -a -f
 * run store_buffer: -DBUFFER -a -f
 * run look_outside: -DBROKEN_LOOK_OUTSIDE -a -f
 * run no_lock_on_wake: -DBUFFER -DBROKEN_NO_LOCK -a -f
 *
 * BUFFER: the program's store to the word stays in its CPU's store buffer until a locked instruction or any time before.
 */
#define ROUNDS 2

byte word;         /* of the program; the waker counts it up */
byte value;        /* what the waker has stored, perhaps only in its store buffer */
bit buffered;
bit park_lock;     /* process.park_lock */
bit parked;        /* the operation is in its bucket */
bit done;          /* the operation is complete: sleep.pml shows that its thread then runs */
bit returned;      /* the waiting thread has seen the last value */

inline acquire()
{
	atomic {
		park_lock == 0 -> park_lock = 1
	}
}

/* The lock is taken by a locked instruction, which empties the store buffer. */
inline acquire_as_waker()
{
	atomic {
		park_lock == 0 -> park_lock = 1;
		if
		:: buffered -> word = value; buffered = 0
		:: else
		fi
	}
}

#ifdef BUFFER
active proctype store_buffer()
{
end:	do
	:: atomic { buffered -> word = value; buffered = 0 }
	od
}
#endif

active proctype waiter()
{
	byte seen, now;

	do
	:: word == ROUNDS -> break
	:: else ->
		seen = word; /* in ring 3 */
		if
		:: seen == ROUNDS -> break
		:: else
		fi;
		/* park_wait, wait_locked */
#ifdef BROKEN_LOOK_OUTSIDE
		now = word;
		acquire();
#else
		acquire();
		now = word;
#endif
		done = 0;
		if
		:: now == seen -> parked = 1
		:: else -> done = 1 /* WOULD_BLOCK */
		fi;
		park_lock = 0;
		done == 1 /* cap_enter */
	od;
	returned = 1
}

active proctype waker()
{
	do
	:: value < ROUNDS ->
#ifdef BUFFER
		atomic { buffered == 0 -> value++; buffered = 1 };
#else
		atomic { value++; word = value };
#endif
		/* park_wake */
#ifdef BROKEN_NO_LOCK
		skip;
#else
		acquire_as_waker();
#endif
		if
		:: parked -> parked = 0; done = 1
		:: else
		fi;
		park_lock = 0
	:: else -> break
	od
}

ltl all_is_seen { <> returned }
