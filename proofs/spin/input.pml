/*
 * The serial port, whose interrupt is an edge, its handler, and a reader on another CPU that sleeps when there is nothing: all that
 * was sent is read. No edge is lost, the port's interrupt does not stay off while there is room, no wait is passed over.
 *
 * run sequential: -a -f
 * run store_buffer: -DBUFFER -a -f
 * run small_queue: -DBUFFER -DSMALL -a -f
 * run no_fence: -DBUFFER -DSMALL -DBROKEN_NO_FENCE -a -f
 * run off_is_said_first: -DBROKEN_OFF_IS_SAID_FIRST -a -f
 * run on_is_said_last: -DBROKEN_ON_IS_SAID_LAST -a -f
 * run no_second_look: -DBROKEN_NO_SECOND_LOOK -a -f
 * run no_edge: -DBROKEN_NO_EDGE -a -f
 * run full_is_asked_twice: -DBROKEN_FULL_IS_ASKED_TWICE -a -f
 * run look_before_the_wait: -DBROKEN_LOOK_BEFORE_THE_WAIT -a -f
 *
 * SMALL: the queue is full before the handler's step is over, and empty after one byte.
 * BUFFER: that the reader has made room stays in its store buffer until a locked instruction or any time before.
 */
#define BYTES 4 /* in all */
#define PORT 2  /* that the port holds */
#ifdef SMALL
#define PLACES 1 /* of the queue */
#define STEP 2   /* INTERRUPT_STEP */
#else
#define PLACES 2
#define STEP 1
#endif

byte sent, read;
byte port;       /* bytes in it */
bit is_on = 1;   /* its interrupt; the line is high while it is, and the port is not empty */
bit edge;        /* the line has risen, and the CPU has not taken it */
byte queue;      /* bytes put and not taken */
bit buffered;    /* the reader has taken one more */
bit is_off;
bit mark;    /* CPU_ATTENTION_INPUT */
bit lock;    /* wait_lock */
bit waiting; /* in that queue; else called, or done */
bit woken;   /* wake_pending */

inline flush() { atomic { queue = queue - buffered; buffered = 0 } }
inline acquire() { atomic { lock == 0 -> lock = 1 } }
inline release() { lock = 0 }

inline enable() { atomic { edge = edge || (!is_on && port > 0); is_on = 1 } }

/* what the two say to each other, and the port: serial.c */
inline turn_on(flushes)
{
#ifndef BROKEN_NO_FENCE
	if
	:: flushes -> flush()
	:: else
	fi;
#endif
	if
	:: is_off ->
#ifdef BROKEN_ON_IS_SAID_LAST
		enable();
		is_off = 0
#else
		atomic { was_off = is_off; is_off = 0 }; /* by a locked instruction */
		if
		:: was_off -> enable()
		:: else
		fi
#endif
	:: else
	fi
}

active proctype sender()
{
	do
	:: atomic { sent < BYTES && port < PORT -> edge = edge || (is_on && port == 0); port++; sent++ }
	:: sent == BYTES -> break
	od
}

#ifdef BUFFER
active proctype store_buffer()
{
end:	do
	:: atomic { buffered -> queue--; buffered = 0 }
	od
}
#endif

/* serial_interrupt */
active proctype handler()
{
	byte took;
	bit is_empty, was_off;

end:	do
	:: atomic { edge -> edge = 0 };
		took = 0;
		is_empty = 0;
		do
		:: took < STEP && queue < PLACES ->
			if
			:: port > 0 -> port--; queue++; took++
			:: else -> is_empty = 1; break
			fi
		:: else -> break
		od;
		if
#ifdef BROKEN_NO_EDGE
		:: !is_empty && queue == PLACES ->
#else
#ifdef BROKEN_FULL_IS_ASKED_TWICE
		:: took == STEP || queue == PLACES ->
#else
		:: !is_empty ->
#endif
#endif
#ifdef BROKEN_OFF_IS_SAID_FIRST
			is_off = 1;
			is_on = 0;
#else
			is_on = 0;
			is_off = 1;
#endif
#ifndef BROKEN_NO_SECOND_LOOK
			if
			:: queue < PLACES -> turn_on(0)
			:: else
			fi
#endif
		:: else
		fi;
		if
		:: took != 0 -> mark = 1
		:: else
		fi
	od
}

/* attend, console_wait_call: on the handler's CPU, when it comes by */
active proctype edge_of_the_kernel()
{
end:	do
	:: atomic { mark -> mark = 0 };
		acquire();
		if
		:: waiting -> waiting = 0; woken = 1
		:: else
		fi;
		release()
	od
}

/* console_wait_look and serial_read_byte, cap_enter */
active proctype reader()
{
	bit was_off;

	do
	:: read < BYTES ->
#ifndef BROKEN_LOOK_BEFORE_THE_WAIT
		acquire();
		flush();
		waiting = 1;
		release();
#endif
		if
		:: queue > buffered ->
			flush(); /* of the byte before: there is one store */
#ifdef BUFFER
			buffered = 1;
#else
			queue--;
#endif
			read++;
			turn_on(1);
			acquire();
			flush();
			waiting = 0;
			release()
		:: else ->
#ifdef BROKEN_LOOK_BEFORE_THE_WAIT
			acquire();
			waiting = 1;
			release();
#endif
			atomic { woken -> woken = 0 }
		fi
	:: else -> break
	od
}

ltl all_is_read { <> (read == BYTES) }
