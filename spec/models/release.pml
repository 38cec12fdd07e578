/* Release by two persons: exactly one release of exactly the bytes that two
 * different persons approved.
 *
 * The desk for it comes with the console; this is its rule as the threats T24,
 * T25 and the faults U03 to U05 state it, to be built to. One draft, three
 * officers with two credentials each. An officer requests the release of the
 * draft as it stands, another approves it; the draft can be edited, the request
 * withdrawn, an officer removed, at any moment, by several sessions at once. The
 * node stores, then sends; the other side checks the two assertions again.
 *
 *   step here   rule
 *   request     T24: the requester counts as one person
 *   approve     T25: an assertion signs the digest of the final bytes
 *   edit        T25: voids both
 *   withdraw    U04: nothing is released after it
 *   remove      U05: an officer who is gone approves nothing, pending ones void
 *   release     one compare-and-swap on the draft's state
 *   accept      T21: the peer counts persons, not credentials, over the bytes it got
 *
 * Properties: asserts in RELEASE: once; by two persons who are officers then, of
 * the bytes that both signed, not withdrawn; in the peer: it accepts nothing else.
 *
 * Not here: WebAuthn, sessions, time limits, more approvals than two, who may
 * enrol officers (T28), a host that is compromised and asks the peer to accept
 * with one officer's assertions, except as the peer's check of them.
 *
 * check: safety expect=ok       states=233959 about="one release of the approved bytes by two persons"
 * check: safety expect=violated defs="COUNTKEYS" about="wrong: credentials are counted, not persons"
 * check: safety expect=violated defs="KEEPONEDIT" about="wrong: an edit leaves the approvals"
 * check: safety expect=violated defs="CHECKTHENACT" about="wrong: checked, then released, not at once"
 * check: safety expect=violated defs="KEEPONREMOVE" about="wrong: a removed officer's approval stands"
 * check: safety expect=violated defs="BADHOST PEERCOUNTSKEYS" about="wrong: the peer counts credentials, the host lies"
 * check: safety expect=ok       states=1054261 defs="BADHOST" about="a lying host with one officer's credentials releases nothing that the peer accepts"
 */
#define P 3      /* officers */
#define NONE 9

byte text = 1;            /* the draft's bytes */
byte reqBy = NONE, reqKey, reqText;
byte appBy = NONE, appKey, appText;
bool officer[P] = true, withdrawn, released;
byte edits = 2, removals = 1;
chan peer = [1] of { byte, byte, byte, byte, byte, byte, byte }; /* text, then person, key and text of each assertion */

#define FRESH(by, what) (by != NONE && what == text)
#ifdef COUNTKEYS
#define DIFFERENT(b1, k1, b2, k2) (b1 != b2 || k1 != k2)
#else
#define DIFFERENT(b1, k1, b2, k2) (b1 != b2)
#endif
#if defined(PEERCOUNTSKEYS) || defined(COUNTKEYS)
#define PEERDIFFERENT(b1, k1, b2, k2) (b1 != b2 || k1 != k2)
#else
#define PEERDIFFERENT(b1, k1, b2, k2) (b1 != b2)
#endif
#ifdef KEEPONEDIT
#define MAY (reqBy != NONE && appBy != NONE && !withdrawn && !released)
#else
#define MAY (FRESH(reqBy, reqText) && FRESH(appBy, appText) && !withdrawn && !released)
#endif
#define RELEASE \
	assert(!released && !withdrawn); \
	assert(reqBy != appBy && reqText == text && appText == text); \
	assert(officer[reqBy] && officer[appBy]); \
	released = true; peer!text(reqBy, reqKey, reqText, appBy, appKey, appText)

active [2] proctype Session() { /* two at once: a console, an API, another console */
	byte who, key;
	do
	:: atomic { select(who : 0 .. P - 1); select(key : 0 .. 1) };
		if
		:: atomic { officer[who] && reqBy == NONE && !released -> reqBy = who; reqKey = key; reqText = text; withdrawn = false }
		:: atomic { officer[who] && reqBy != NONE && appBy == NONE && !released && DIFFERENT(who, key, reqBy, reqKey) ->
			appBy = who; appKey = key; appText = text }
		:: atomic { edits > 0 && !released -> edits--; text++;
#ifndef KEEPONEDIT
			reqBy = NONE; appBy = NONE
#endif
			}
		:: atomic { officer[who] && reqBy != NONE && !released -> withdrawn = true; reqBy = NONE; appBy = NONE }
		:: atomic { removals > 0 && officer[who] -> removals--; officer[who] = false;
#ifndef KEEPONREMOVE
			if :: reqBy == who || appBy == who -> reqBy = NONE; appBy = NONE :: else fi
#endif
			}
#ifdef CHECKTHENACT
		:: MAY -> atomic { RELEASE }
#else
		:: atomic { MAY -> RELEASE }
#endif
		:: skip
		fi;
		atomic { who = 0; key = 0 }
	od
}

#ifdef BADHOST
active proctype Host() { /* it has all credentials of officer 0, and sends what it likes */
	byte t;
	do
	:: atomic { !released -> select(t : 1 .. 3); released = true; peer!t(0, 0, t, 0, 1, t) }
	od
}
#endif

active proctype Peer() {
	byte t, b1, k1, t1, b2, k2, t2;
	do
	:: atomic { peer?t(b1, k1, t1, b2, k2, t2);
		if
		:: PEERDIFFERENT(b1, k1, b2, k2) && t1 == t && t2 == t -> assert(b1 != b2)
		:: else -> skip /* refused */
		fi }
	od
}
