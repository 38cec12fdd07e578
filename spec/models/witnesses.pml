/* Witnesses: two members never both hold a witnessed head of histories that
 * disagree, as long as any two quorums share an honest witness.
 *
 * One author signs two histories of one log, branch 1 and 2, of sizes 1 to 2.
 * W witnesses, F of them bad: those cosign whatever they are shown. A member
 * counts a head as witnessed when Q witnesses cosigned one of its branch and at
 * least its size. Heads and cosignatures reach everybody in any order, or never.
 *
 *   step here   rule                          Go
 *   add         receipts R10; tlog-witness    witness.Server.add, witness.Server.check
 *   persist     before the cosignature goes   witness.state.put
 *   quorum      receipts R7                   parley.Quorum.Met, station.quorumSize
 *   collect     receipts R6                   station.witnessLine
 *
 * Property: assert in Member: the members never both hold a witnessed head of
 * different branches.
 *
 * Not here: groups in a quorum; the consistency proof, which stands for "same
 * branch"; time; a quorum that never comes, which blocks nothing.
 *
 * check: safety expect=ok       states=78 defs="W=1 F=0 Q=1" about="one honest witness"
 * check: safety expect=ok       states=7758 defs="W=4 F=1 Q=3" about="3f+1 witnesses, f bad, quorum 2f+1: f = 1"
 * check: safety expect=ok       states=851838 defs="W=7 F=2 Q=5" about="3f+1 witnesses, f bad, quorum 2f+1: f = 2"
 * check: safety expect=ok       states=78 defs="W=2 F=1 Q=2" about="both of two, one bad: detects, and cannot be forced"
 * check: safety expect=violated defs="W=3 F=1 Q=2" about="limit: 2 of 3 with one bad"
 * check: safety expect=violated defs="W=4 F=2 Q=3" about="limit: more bad ones than f"
 * check: safety expect=violated defs="W=1 F=1 Q=1" about="limit: the only witness is bad"
 * check: safety expect=violated defs="W=1 F=0 Q=1 LATE" about="wrong: the cosignature leaves before it is stored"
 * check: safety expect=violated defs="W=1 F=0 Q=1 RESTORED" about="wrong: a witness's directory is restored"
 */
#ifndef W
#define W 1
#define F 0
#define Q 1
#endif
#define S 2

byte branch[W], size[W];        /* what each witness has on its disk */
byte cosigned[2 * W];           /* per branch and witness: greatest size it cosigned */
byte has[2];                    /* branch of which a member holds a witnessed head */
byte oldBranch, oldSize;        /* a backup of the first honest witness */

#define COSIGNED(b, w) cosigned[((b) - 1) * W + (w)]

/* An honest witness is shown a head of branch b and size s. */
inline add(w, b, s) {
	if
	:: (branch[w] == 0 || branch[w] == b) && s >= size[w] ->
#ifdef LATE
		COSIGNED(b, w) = s;
		if :: branch[w] = b; size[w] = s :: skip /* it dies first */ fi
#else
		branch[w] = b; size[w] = s;
		if :: COSIGNED(b, w) = s :: skip /* it dies before the answer */ fi
#endif
	:: else
	fi
}

active proctype Author() {
	byte w, b, s;
	atomic { /* the first F are bad: they cosign whatever there is */
		do :: w < F -> COSIGNED(1, w) = S; COSIGNED(2, w) = S; w++ :: else -> break od; w = 0 };
	do
	:: atomic { F < W -> select(w : F .. W - 1); select(b : 1 .. 2); select(s : 1 .. S); add(w, b, s); w = 0; b = 0; s = 0 }
	od
}

#ifdef RESTORED
active proctype Operator() {
	atomic { oldBranch = branch[F]; oldSize = size[F] };
	atomic { branch[F] = oldBranch; size[F] = oldSize }
}
#endif

active [2] proctype Member() {
	byte w, b, s, n;
	do
	:: has[_pid % 2] == 0 -> atomic {
		select(b : 1 .. 2); select(s : 1 .. S); n = 0; w = 0;
		do
		:: w < W -> if :: COSIGNED(b, w) >= s -> n++ :: else fi; w++
		:: else -> break
		od;
		if :: n >= Q -> has[_pid % 2] = b :: else fi;
		assert(has[0] == 0 || has[1] == 0 || has[0] == has[1]);
		w = 0; b = 0; s = 0; n = 0 }
	od
}
