/* Key windows: a key goes when its time is over, not before, and false clocks
 * do not burn it; what was not received by then arrives all the same.
 *
 * One author (0), one reader (1), one window with its audience key K, and the
 * reader's KEM key, renewed once. Time is in half windows: K ends at U, its
 * grace at U + G. The author writes one entry in the window. The line goes up
 * and down; the clock of one node at a time is years ahead or far behind.
 *
 *   step here   rule                       Go
 *   destroy     keys, after K14            station.destroyKeys
 *   newest      keys, "verified"           station.witnessTime
 *   grant       keys K14; again after KEYS station.ensureGranted, station.receiveGrant, station.regrant
 *   kem         keys, KEYS                 station.renewKeys, station.applyKeys, station.destroyKems
 *   entry       keys K12                   station.pump, station.open
 *   open        keys K13, after the window station.pump (OPEN under a key of the present window)
 *
 * Properties:
 *   assert in destroy: neither node's K goes before U + G in real time;
 *   assert in kem: the old KEM key goes only when the author knows the new one,
 *     or kemMax is over;
 *   ltl settled: when clocks are right and the line is up, K is gone at both and
 *     the reader holds the entry.
 *
 * Not here: many windows and audiences (each is by itself), the reader's second
 * bound (prepos + window + grace from acceptance), witnesses, whose time counts
 * like the other member's, and secrecy.
 *
 * check: safety      expect=ok       states=236472 about="one clock false: no key burns early"
 * check: ltl=settled expect=ok       states=244012 about="in the end the keys are gone and the entry is there"
 * check: safety      expect=violated defs="OWNCLOCK" about="wrong: the own clock alone decides"
 * check: safety      expect=violated defs="OTHERSCLOCK" about="wrong: another's time alone decides"
 * check: safety      expect=violated defs="BOTH" about="limit: both clocks false at once"
 * check: safety      expect=violated defs="KEMATONCE" about="wrong: the old KEM key goes when the new one is made"
 * check: ltl=settled expect=violated defs="NOOPEN" about="wrong: nothing is sent again once K is gone"
 */
#define U 2
#define G 1
#define T 6      /* the end of time */
#define FAR 15
#define KEMMAX 5

byte real;
bool behind[2], ahead[2]; /* clocks */
byte newest[2];           /* newest verified time of the other */
bool K[2] = true;         /* the reader has it when granted */
bool line, written, received;
byte kemKnown;            /* version of the reader's KEM key that the author knows */
byte kemMade;             /* newest version that the reader made */
bool kemOld = true;       /* the reader still has version 0 */
byte changes = 3;         /* of line and clocks */

#define CLOCK(i) (ahead[i] -> FAR : (behind[i] -> 0 : real))
#define LESS(a, b) ((a) < (b) -> (a) : (b))
#if defined(OWNCLOCK)
#define PAST(i) CLOCK(i)
#elif defined(OTHERSCLOCK)
#define PAST(i) newest[i]
#else
#define PAST(i) LESS(CLOCK(i), newest[i])
#endif

proctype Node(byte i) {
	do
	:: atomic { K[i] && PAST(i) > U + G -> K[i] = false; /* destroy */
		assert(real > U + G) }
#ifdef OTHERSCLOCK
	:: atomic { line && CLOCK(1 - i) > newest[i] -> newest[i] = CLOCK(1 - i) }
#else
	:: atomic { line && CLOCK(1 - i) > newest[i] && CLOCK(1 - i) <= CLOCK(i) -> newest[i] = CLOCK(1 - i) }
#endif
	od
}

proctype Author() {
	do
	:: atomic { !written && K[0] && real <= U -> written = true }
	:: atomic { line && K[0] && !K[1] && real <= U + G ->   /* grant */
		if :: kemKnown == kemMade || kemOld -> K[1] = true :: else fi }
	:: atomic { line && written && !received && K[0] && K[1] -> received = true }
#ifndef NOOPEN
	:: atomic { line && written && !received && !K[0] -> received = true } /* open */
#endif
	:: atomic { line && kemKnown < kemMade -> kemKnown = kemMade } /* KEYS, and its receipt */
	od
}

proctype Reader() {
	do
	:: atomic { kemMade == 0 && real >= 1 -> kemMade = 1;
#ifdef KEMATONCE
		kemOld = false; assert(kemKnown == 1)
#endif
		}
	:: atomic { kemOld && kemMade == 1 && (kemKnown == 1 || PAST(1) > KEMMAX) -> kemOld = false;
		assert(kemKnown == 1 || real > KEMMAX) }
	od
}

active proctype World() {
	byte i;
	K[1] = false;
	run Node(0); run Node(1); run Author(); run Reader();
	do
	:: atomic { real < T -> real++ }
	:: atomic { changes > 0 && real < T -> changes--; if :: line = true :: line = false fi }
	:: atomic { changes > 0 && real < T -> changes--; if :: i = 0 :: i = 1 fi;
#ifndef BOTH
		if :: ahead[1 - i] || behind[1 - i] -> ahead[1 - i] = false; behind[1 - i] = false :: else fi;
#endif
		if :: ahead[i] = true; behind[i] = false
		:: ahead[i] = false; behind[i] = true
		:: ahead[i] = false; behind[i] = false
		fi; i = 0 }
	:: atomic { real == T -> line = true; changes = 0; /* the operators mend what is wrong */
		ahead[0] = false; ahead[1] = false; behind[0] = false; behind[1] = false; break }
	od
}

/* Fairness in spin wants that something can always move. */
active proctype Idle() { bool tick; do :: tick = !tick od }

ltl settled { <> [] (!K[0] && !K[1] && (received || !written)) }
