/* Two conforming peers, the path between them, and an observer on the path.
 *
 * Hand-written, as PROTOCOL.md is: what a conforming peer may send, what it owes, and the rules that look at
 * more than one call. What a message means in a state comes from tables.pml, which is derived from call.json and
 * connection.json. configurations.json defines the capital names that are defined neither here nor there:
 *
 *   CALLS              how many cids there are, at most 4
 *   BY_ACCEPTOR        bit c: cid c is opened by side 1, else by side 0
 *   TARGETS            four bits for each cid: the cid that it cancels, 15 if it is no CANCEL
 *   ACKS               bits 0, 1, 2: a callee acknowledges as asyncfunc, asyncgen, context
 *   CAP                how many messages each of the four stretches of the path holds
 *   REUSE              1: the cid of a call that has ended is opened again
 *   HELLOS GOODBYES FATALS EOFS RESETS    1: what else the two sides do; RESETS: an EOF loses what is under way
 *   FAULTY FAULTS      the side that breaks rules, 2 for none; how often, 0 for any number of times
 *   LIVENESS           1: what a side owes is done by a process of its own, so that fairness means something
 *
 * The tables are constants of the verifier, read by c_expr: they cost no state, and one look instead of a guard
 * for each of their cells. Everything else is Promela. A variable that is `hidden` is scratch of one step.
 */
#include "tables.pml"

#define SIDE_0 0                /* the seat of side 0 is place 0, that of side 1 place 1 */
#define SIDE_1 1
#define OBSERVER 2
#define PLACES 3
#define NONE 15
#define HALF_EVENT 64           /* a message: c * EVENTS + e of call c, or HALF_EVENT + e of the connection */
#define BROKEN 15               /* a half that is read no further: a violation with the reaction close */

#define OPENER(c) ((BY_ACCEPTOR >> (c)) & 1)
#define TARGET(c) ((TARGETS >> (4 * (c))) & 15)
#define OTHER(s) (1 - (s))
#define OUT(s) hop[2 * (s)]     /* from a side to the observer */
#define ON(s) hop[2 * (s) + 1]  /* from the observer to the other side */
#define VIEW(p, c) view[(p) * CALLS + (c)]
#define KIND(p, c) kind[(p) * CALLS + (c)]
#define ENDED(p, c) ended[(p) * CALLS + (c)]
#define AIM(p, c) aim[(p) * CALLS + (c)]
#define HALF(p, s) half[2 * (p) + (s)]
#define HONEST (FAULTY == 2)

chan hop[4] = [CAP] of { byte };

byte view[PLACES * CALLS];      /* the state of each call, as each place sees it */
byte half[PLACES * 2];          /* the state of each side's half, as each place sees it */
bit over[PLACES];               /* all-over: no call of the connection is left */
bit aim[PLACES * CALLS];        /* a CANCEL: its target was live at its OPEN, and is still the same call */
byte faults;

/* Kept from the messages alone, without the table, so that a property does not hang on what it judges. */
byte kind[PLACES * CALLS];      /* how the call was acknowledged: 0 not, 1 asyncfunc, 2 asyncgen, 3 context */
bit ended[PLACES * CALLS];      /* the callee's terminal has come by */

hidden byte place; hidden byte side; hidden byte m; hidden byte c; hidden byte e; hidden byte i; hidden byte r;
hidden byte was; hidden byte verdict; hidden byte wrong; hidden int before; hidden int after;

/* The properties. Each is asserted under its name. */
hidden byte no_honest_violation; hidden byte one_terminal; hidden byte cancel_not_early; hidden byte isolation;
hidden byte goodbye_drains; hidden byte agreement; hidden byte no_deadlock; hidden byte innocence;

#define LIVE(p, c) c_expr { CALL_LIVE[now.view[(p) * CALLS + (c)]] }
#define TARGET_LIVE c_expr { CALL_LIVE[now.view[place * CALLS + TARGET(c)]] }

c_code {
	static unsigned char call_hit[3][CALL_STATES][2][EVENTS];  /* at the caller, at the callee, at the observer */
	static unsigned char half_hit[3][HALF_STATES][HALF_EVENTS]; /* at the sender, at the receiver, at the observer */
	static unsigned char seen[CALL_STATES][CALL_STATES][CALL_STATES]; /* call 0: at the caller, observer, callee */
	static const char *SENDERS[2] = {"caller", "callee"};
	static const char *PLACE_NAMES[2][3] = { {"caller", "callee", "observer"}, {"sender", "receiver", "observer"} };

	static void report(void)
	{
		int p, s, r, e;
		for (p = 0; p < 3; p++) {
			for (s = 0; s < CALL_STATES; s++) for (r = 0; r < 2; r++) for (e = 0; e < EVENTS; e++)
				if (call_hit[p][s][r][e])
					printf("reached call %s %s %s %s\n", PLACE_NAMES[0][p], CALL_STATE_NAMES[s], SENDERS[r], EVENT_NAMES[e]);
			for (s = 0; s < HALF_STATES; s++) for (e = 0; e < HALF_EVENTS; e++)
				if (half_hit[p][s][e])
					printf("reached half %s %s %s\n", PLACE_NAMES[1][p], HALF_STATE_NAMES[s], HALF_EVENT_NAMES[e]);
		}
		for (p = 0; p < CALL_STATES; p++) for (s = 0; s < CALL_STATES; s++) for (r = 0; r < CALL_STATES; r++)
			if (seen[p][s][r])
				printf("views %s %s %s\n", CALL_STATE_NAMES[p], CALL_STATE_NAMES[s], CALL_STATE_NAMES[r]);
	}
}

/* ---- What comes by a place ------------------------------------------------------------------------------ */

inline forget() {               /* all-over: nothing is left of any call */
	over[place] = 1;
	for (i : 0 .. CALLS - 1) { VIEW(place, i) = AT_IDLE; KIND(place, i) = 0; ENDED(place, i) = 0; AIM(place, i) = 0 }
}

inline refuse() {               /* a violation: nobody commits one, or the conforming side is not blamed for it */
	if
	:: HONEST -> no_honest_violation = 0; assert(no_honest_violation)
	:: else -> innocence = (side == FAULTY || place == FAULTY); if :: FAULTS == 1 -> assert(innocence) :: else fi
	fi;
	if
	:: verdict == CLOSE -> HALF(place, side) = BROKEN; forget()
	:: else
	fi
}

inline leave() {                /* served-over: the calls that the sender of GOODBYE serves end here */
	for (i : 0 .. CALLS - 1) {
		if
		:: OPENER(i) != side ->
			goodbye_drains = (!KIND(place, i) || ENDED(place, i) || over[place]);
			if :: HONEST -> assert(goodbye_drains) :: else fi;
			if :: LIVE(place, i) -> VIEW(place, i) = AT_DONE; AIM(place, i) = 0 :: else fi
		:: else
		fi
	}
}

inline half_step() {
	was = HALF(place, side);
	c_code { half_hit[place == OBSERVER ? 2 : place != side][was][e] |= HONEST || FAULTY != place; };
	verdict = c_expr { HALF_VERDICT[was][e] };
	if
	:: m >= HALF_EVENT -> printf("place %d: half of %d, state %d, event %d, verdict %d\n", place, side, was, e, verdict)
	:: else
	fi;
	if
	:: verdict == LEGAL_MOVE ->
		HALF(place, side) = c_expr { HALF_NEXT[was][e] };
		if
		:: c_expr { HALF_CALLS[was][e] == SERVED_OVER } -> leave()
		:: c_expr { HALF_CALLS[was][e] == ALL_OVER } -> forget()
		:: else
		fi
	:: else -> refuse()
	fi
}

inline others(sum) {            /* the states of all calls but c */
	sum = 0;
	for (i : 0 .. CALLS - 1) { sum = sum * 16 + (i == c -> 0 : VIEW(place, i)) }
}

inline watch() {                /* the terminal, told from the messages alone */
	if
	:: e == OPEN -> KIND(place, c) = 0; ENDED(place, c) = 0
	:: e == ACK_ASYNCFUNC -> KIND(place, c) = 1
	:: e == ACK_ASYNCGEN -> KIND(place, c) = 2
	:: e == ACK_CONTEXT -> KIND(place, c) = 3
	:: r == CALLEE && (e == RESULT || e == FAIL || (e == END && KIND(place, c) == 2)) ->
		one_terminal = !ENDED(place, c) && (e == FAIL || (KIND(place, c) && (e == RESULT) == (KIND(place, c) != 2)));
		if :: HONEST -> assert(one_terminal) :: else fi;
		ENDED(place, c) = 1
	:: else
	fi
}

inline cancels() {              /* a CANCEL and its target */
	if
	:: e == OPEN ->
		AIM(place, c) = (TARGET(c) != NONE && OPENER(c) == OPENER(TARGET(c)) && TARGET_LIVE);
		for (i : 0 .. CALLS - 1) {  /* who aimed at the call that had this cid before has nothing to wait for */
			if :: TARGET(i) == c -> AIM(place, i) = 0 :: else fi
		}
	:: e == RESULT && AIM(place, c) && TARGET_LIVE ->
		cancel_not_early = 0;
		if :: HONEST -> assert(cancel_not_early) :: else fi;
		VIEW(place, TARGET(c)) = (VIEW(place, TARGET(c)) == AT_FAILED -> AT_DRAINING : AT_FAILED)
	:: else
	fi;
	if :: !LIVE(place, c) -> AIM(place, c) = 0 :: else fi
}

inline call_step() {
	was = VIEW(place, c);
	r = (was == AT_IDLE || OPENER(c) == side -> CALLER : CALLEE);
	c_code { call_hit[place == OBSERVER ? 2 : place != OPENER(c)][was][r][e] |= HONEST || FAULTY != place; };
	verdict = c_expr { CALL_VERDICT[was][r][e] };
	printf("place %d: call %d, side %d, state %d, event %d, verdict %d\n", place, c, side, was, e, verdict);
	others(before);
	VIEW(place, c) = c_expr { CALL_NEXT[was][r][e] };
	if
	:: verdict == LEGAL_MOVE ->
		watch();
		cancels();
		if                      /* an OPEN that has crossed the GOODBYE of its callee: nobody answers it */
		:: e == OPEN && HALF(place, OTHER(side)) == LEFT -> VIEW(place, c) = AT_DONE; AIM(place, c) = 0
		:: else
		fi
	:: verdict == IGNORED
	:: else -> refuse()
	fi;
	if
	:: !over[place] -> others(after); isolation = (before == after); assert(isolation)
	:: else
	fi;
	c_code {
		if (!now.over[0] && !now.over[1])
			seen[now.view[OPENER(0) * CALLS]][now.view[OBSERVER * CALLS]][now.view[OTHER(OPENER(0)) * CALLS]] = 1;
	}
}

inline take() {                 /* message m of `side` comes by `place` */
	if
	:: HALF(place, side) == BROKEN
	:: else ->
		if
		:: m >= HALF_EVENT -> e = m - HALF_EVENT; half_step()
		:: else ->
			c = m / EVENTS;
			e = (m % EVENTS == MALFORMED -> MALFORMED_CALL : CALL);
			half_step();
			e = m % EVENTS;
			if
			:: verdict == LEGAL_MOVE && !over[place] -> call_step()
			:: else
			fi
		fi
	fi
}

/* ---- What a side sends ---------------------------------------------------------------------------------- */

#define ME (PPeer->me)
#define CELL(c, e) c_expr { CALL_VERDICT[now.view[ME * CALLS + (c)]][OPENER(c) != ME][e] == LEGAL_MOVE }
#define HALF_CELL(e) c_expr { HALF_VERDICT[now.half[3 * ME]][e] == LEGAL_MOVE }
#define LIVE_HERE(c) c_expr { CALL_LIVE[now.view[ME * CALLS + (c)]] }

/* Room on the path. Where fairness counts, what is sent of free will leaves a place for what is owed. */
#define ROOM (len(OUT(me)) < (LIVENESS && !owed -> CAP - 1 : CAP))

/* What its own view of the call allows a conforming side, and the rules that look further. */
#define ALLOWED(c, e) (HALF(me, me) == TALKING && !over[me] && CELL(c, e) && \
	(VIEW(me, c) != AT_FAILED || (e) == FAIL))
#define OPENING(c) (OPENER(c) == me && HALF(me, OTHER(me)) != LEFT && (VIEW(me, c) == AT_IDLE || REUSE))
#define ACKING(c, k) (TARGET(c) == NONE -> (ACKS >> (k)) & 1 : (k) == 0)
#define ANSWERING(c) (!AIM(me, c) || !LIVE_HERE(TARGET(c) % CALLS))
#define REFUSING(c) (!LIVENESS || TARGET(c) == NONE)   /* a CANCEL that is refused, as above OPN-12r, is none */
#define OWED_BY_GOODBYE(c) (OPENER(c) != me && LIVE_HERE(c) && VIEW(me, c) != AT_REQUESTED && VIEW(me, c) != AT_FAILED)

/* What a side owes: the answer of a CANCEL, and the terminal of a call that was cancelled or whose caller leaves. */
#define AIMS(k, c) (TARGET(k) == (c) && AIM(me, k))
#define DUE(c, e) (OPENER(c) != me && (TARGET(c) != NONE || \
	(CANCELLED(c) || HALF(me, OTHER(me)) == LEFT) && ((e) == FAIL || (e) == RESULT || ((e) == END && KIND(me, c) == 2))))

#define TRY(c, e, rule) :: ROOM && ALLOWED(c, e) && (rule) && (!owed || DUE(c, e)) -> m = (c) * EVENTS + (e)
#define TRIES(c) \
	TRY(c, OPEN, OPENING(c)) \
	TRY(c, ACK_ASYNCFUNC, ACKING(c, 0)) TRY(c, ACK_ASYNCGEN, ACKING(c, 1)) TRY(c, ACK_CONTEXT, ACKING(c, 2)) \
	TRY(c, STARTED, 1) TRY(c, ITEM, 1) TRY(c, END, 1) TRY(c, OVERRUN, 1) TRY(c, FAIL, REFUSING(c)) \
	TRY(c, RESULT, ANSWERING(c))

#define MAY_FAIL (me == FAULTY && ROOM && (FAULTS == 0 || faults < FAULTS))
#define FAULT(c, e) :: MAY_FAIL && HALF(me, me) != GONE && !CELL(c, e) && \
	(VIEW(me, c) != AT_IDLE || (FAULTS != 1 && ((e) != OPEN || OPENER(c) == me))) -> \
	m = (c) * EVENTS + (e); wrong = 1
#define FAULTS_OF(c) \
	FAULT(c, OPEN) FAULT(c, ACK_ASYNCFUNC) FAULT(c, ACK_ASYNCGEN) FAULT(c, ACK_CONTEXT) FAULT(c, STARTED) \
	FAULT(c, ITEM) FAULT(c, END) FAULT(c, RESULT) FAULT(c, FAIL) FAULT(c, OVERRUN) FAULT(c, MALFORMED)
#define HALF_FAULT(e) :: MAY_FAIL && HALF(me, me) != GONE -> m = HALF_EVENT + (e); wrong = 1

#if CALLS == 1
#define CANCELLED(c) AIMS(0, c)
#define OWING OWED_BY_GOODBYE(0)
#define ALL_TRIES TRIES(0)
#define ALL_FAULTS FAULTS_OF(0)
#elif CALLS == 2
#define CANCELLED(c) (AIMS(0, c) || AIMS(1, c))
#define OWING (OWED_BY_GOODBYE(0) || OWED_BY_GOODBYE(1))
#define ALL_TRIES TRIES(0) TRIES(1)
#define ALL_FAULTS FAULTS_OF(0) FAULTS_OF(1)
#elif CALLS == 3
#define CANCELLED(c) (AIMS(0, c) || AIMS(1, c) || AIMS(2, c))
#define OWING (OWED_BY_GOODBYE(0) || OWED_BY_GOODBYE(1) || OWED_BY_GOODBYE(2))
#define ALL_TRIES TRIES(0) TRIES(1) TRIES(2)
#define ALL_FAULTS FAULTS_OF(0) FAULTS_OF(1) FAULTS_OF(2)
#endif

#define HAS_LEFT(s) (HALF(me, s) == LEFT)
#define MAY_LEAVE ((GOODBYES && !owed || HAS_LEFT(OTHER(me))) && HALF_CELL(GOODBYE) && !OWING)
#define MAY_CLOSE (HALF(me, me) != GONE && \
	(EOFS && !owed || over[me] || HALF(me, OTHER(me)) == GONE || HAS_LEFT(me) && HAS_LEFT(OTHER(me))))

proctype Peer(bit me; bit owed)
{
end:	do
	:: LIVENESS && !owed -> skip /* free will: fairness forces nobody to send what he does not owe */
	:: atomic {
		if
		ALL_TRIES
		:: ROOM && HALF_CELL(HELLO) -> m = HALF_EVENT + HELLO
		:: ROOM && FATALS && !owed && HALF_CELL(FATAL) -> m = HALF_EVENT + FATAL
		:: ROOM && MAY_LEAVE -> m = HALF_EVENT + GOODBYE
		:: ROOM && MAY_CLOSE -> m = HALF_EVENT + EOF_EVENT
		:: RESETS && MAY_CLOSE -> do :: OUT(me)?_ :: empty(OUT(me)) -> break od; m = HALF_EVENT + EOF_EVENT
#if FAULTY != 2
		ALL_FAULTS
#if HELLOS
		HALF_FAULT(HELLO) HALF_FAULT(FATAL) HALF_FAULT(GOODBYE) HALF_FAULT(MALFORMED_OBJECT) HALF_FAULT(MALFORMED_BYTES)
#endif
#endif
		fi;
		d_step {
			place = me; side = me;
			if
			:: wrong -> faults = (FAULTS -> faults + 1 : 0)
			:: else -> take()
			fi;
			wrong = 0;
			OUT(me)!m
		}
	}
	od
}

/* ---- The path, and what arrives ------------------------------------------------------------------------- */

proctype Path(bit from)
{
end:	do
	:: d_step {
		nempty(OUT(from)) && nfull(ON(from)) ->
		OUT(from)?m;
		place = OBSERVER; side = from;
		take();
		ON(from)!m
	}
	od
}

inline agree() {                /* with nothing under way, all places see the same */
	for (i : 0 .. CALLS - 1) {
		agreement = (VIEW(0, i) == VIEW(OBSERVER, i) && VIEW(1, i) == VIEW(OBSERVER, i));
		assert(agreement);
		one_terminal = (VIEW(0, i) == AT_IDLE || LIVE(0, i) != ENDED(0, i) || HALF(0, 0) == LEFT || HALF(0, 1) == LEFT);
		assert(one_terminal)
	}
}

proctype Reader(bit to)
{
end:	do
	:: d_step {
		ON(OTHER(to))?m;
		place = to; side = OTHER(to);
		take();
		if
		:: HONEST && len(hop[0]) + len(hop[1]) + len(hop[2]) + len(hop[3]) == 0 -> agree()
		:: else
		fi
	}
	od
}

#if !LIVENESS && FAULTY == 2
/* Nothing can move any more: then nothing is under way, and every call is over. */
active proctype Rest()
{
end:	timeout ->
	d_step {
		no_deadlock = (len(hop[0]) + len(hop[1]) + len(hop[2]) + len(hop[3]) == 0);
		for (i : 0 .. PLACES * CALLS - 1) { no_deadlock = no_deadlock && !c_expr { CALL_LIVE[now.view[i]] } }
		assert(no_deadlock)
	}
}
#endif

init {
	d_step {
		c_code { static int once; if (!once) { once = 1; atexit(report); } };
		for (i : 0 .. 2 * PLACES - 1) { half[i] = (HELLOS -> SILENT : TALKING) }
	}
	atomic {
		run Peer(0, 0); run Peer(1, 0); run Path(0); run Path(1); run Reader(0); run Reader(1);
#if LIVENESS
		run Peer(0, 1); run Peer(1, 1);
#endif
	}
}

#if LIVENESS
#define LIVE_AT_THE_SEATS(c) (STILL_LIVE(0, c) || STILL_LIVE(1, c))
#define STILL_LIVE(p, c) (VIEW(p, c) != AT_IDLE && VIEW(p, c) != AT_DONE && VIEW(p, c) != AT_DRAINING)
#define LEAVES(s) (HALF(s, s) == LEFT || HALF(s, s) == FAILING || HALF(s, s) == GONE)

/* Under weak fairness. Call 0 is the target of call 1, both opened by side 0. */
#if TARGET(1) == 0
ltl cancelled_call_ends { [] (AIM(0, 1) -> <> !LIVE_AT_THE_SEATS(0)) }
ltl cancel_is_answered { [] (STILL_LIVE(0, 1) -> <> !STILL_LIVE(0, 1)) }
#else
ltl abandoned_call_ends { [] ((LEAVES(0) || LEAVES(1)) -> <> !LIVE_AT_THE_SEATS(0)) }
#endif
#endif
