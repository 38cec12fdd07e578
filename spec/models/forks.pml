/* Forks: a fork that two honest members were shown is proved to both, and an
 * author that signed one history is convicted by nobody.
 *
 * One log. Each of two members holds a head of it, of size 1 or 2; the author
 * signed one history (branch 1 for both) or two. The members are connected by a
 * line that loses frames; a third party slips in heads, leaves and notices that
 * the author did not sign.
 *
 *   step here       rule                     Go
 *   HAVE            frames, HAVE             station.receiveHave, station.sayHave
 *   WANTHEAD, HEAD  frames, HEADS            station.askHead, station.receiveHeads, station.judgeHead
 *   WANTLEAVES      journal J11, CHECK       station.beginCheck, station.checkLeaf, station.judgeCheck
 *   PROVE           journal J10 to J12       station.forked, journal.ProveFork
 *   NOTICE          journal, proof of a fork station.sendNotices, station.receiveNotice, journal.Fork.Check
 *
 * Properties:
 *   assert: nobody is convicted who signed one history only;
 *   ltl proved: if there are two histories, both members hold the proof in the
 *     end (weak fairness, losses end).
 *
 * Not here: witnesses (witnesses.pml), members that never meet, whom nothing
 * helps, a member that withholds leaves from an investigation (several may be
 * asked), and how leaves give a proof, which the vectors of spec/journal test.
 *
 * check: safety     expect=ok       states=3287744 about="an honest author is never convicted"
 * check: ltl=proved expect=ok       states=15340 defs="FORK" about="two histories are proved to both"
 * check: safety     expect=violated defs="BELIEVE" about="wrong: a head is believed without its signature"
 * check: ltl=proved expect=violated defs="FORK NOLEAVES" about="wrong: only heads of equal size are compared"
 * check: ltl=proved expect=violated defs="FORK ONCE" about="wrong: what is held is said once"
 */
mtype = { HAVE, WANTHEAD, HEAD, WANTLEAVES, LEAVES, NOTICE };
chan to[2] = [2] of { mtype, byte, byte, bool }; /* size, branch, signed */

byte size[2], branch[2];
bool proved[2], forked;
byte losses = 2, lies = 2;
byte turn; /* both have timers: the heartbeats take turns */

#define TELL(what, s, b, ok) if \
	:: nfull(to[1 - i]) -> to[1 - i]!what(s, b, ok) \
	:: full(to[1 - i]) -> skip \
	:: atomic { losses > 0 -> losses-- } \
	fi
#ifdef BELIEVE
#define SIGNED true
#else
#define SIGNED ok
#endif
#define PROVE assert(forked); proved[i] = true

proctype Member(byte i) {
	byte s, b;
	bool ok, said;
	do
	:: to[i]?HAVE(s, b, ok) ->
		if :: s != size[i] || b != branch[i] -> TELL(WANTHEAD, 0, 0, false) :: else fi;
		atomic { s = 0; b = 0; ok = false }
	:: to[i]?WANTHEAD(s, b, ok) -> TELL(HEAD, size[i], branch[i], true)
	:: to[i]?HEAD(s, b, ok) ->
		if
		:: SIGNED && s == size[i] && b != branch[i] -> atomic { PROVE }
#ifndef NOLEAVES
		:: SIGNED && s != size[i] -> TELL(WANTLEAVES, 0, 0, false)
#endif
		:: else
		fi;
		atomic { s = 0; b = 0; ok = false }
	:: to[i]?WANTLEAVES(s, b, ok) -> TELL(LEAVES, size[i], branch[i], true)
	:: to[i]?LEAVES(s, b, ok) ->  /* signed: they give the root of a signed head */
		if
		:: SIGNED && b != branch[i] -> atomic { PROVE }
		:: SIGNED && b == branch[i] && s > size[i] -> size[i] = s
		:: else
		fi;
		atomic { s = 0; b = 0; ok = false }
	:: to[i]?NOTICE(s, b, ok) -> /* the proof in it is checked, whoever sends it */
		if :: SIGNED -> atomic { PROVE } :: else fi;
		ok = false
#ifdef ONCE
	:: !said -> said = true;
#else
	:: turn == i && empty(to[0]) && empty(to[1]) && !(proved[0] && proved[1]) && (size[0] != size[1] || branch[0] != branch[1]) ->
		turn = 1 - i;
#endif
		if
		:: proved[i] -> TELL(NOTICE, 0, 0, true)
		:: else -> TELL(HAVE, size[i], branch[i], false)
		fi
	od
}

#ifndef FORK
active proctype Liar() {
	byte i;
	do
	:: atomic { lies > 0 -> lies--; select(i : 0 .. 1) };
		if
		:: TELL(HEAD, 1, 2, false)
		:: TELL(HEAD, 2, 2, false)
		:: TELL(LEAVES, 2, 2, false)
		:: TELL(NOTICE, 0, 0, false)
		fi;
		i = 0
	od
}
#endif

/* Fairness in spin wants that something can always move. */
active proctype Idle() { bool tick; do :: tick = !tick od }

init {
	atomic {
		if :: size[0] = 1 :: size[0] = 2 fi; if :: size[1] = 1 :: size[1] = 2 fi;
		branch[0] = 1; branch[1] = 1;
#ifdef FORK
		branch[1] = 2; forked = true;
#endif
		run Member(0); run Member(1)
	}
}

ltl proved { <> (proved[0] && proved[1]) }
