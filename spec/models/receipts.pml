/* Receipts: what a reader has acknowledged it holds, and goes on holding.
 *
 * An author with N entries in one log and one reader, over a line that loses
 * and repeats frames. The reader may crash before every step, and once be
 * restored from an old backup of its record.
 *
 *   step here   rule                       Go
 *   take        frames F, in order         station.receive, station.appendLeaf
 *   commit      receipts R8, stored first  station.Effects.Commit, store.SQLite.Commit
 *   receipt     receipts R8                station.giveReceipts, station.receipt
 *   repeat      a filled place             station.receiveAgain, station.resendReceipt
 *   have, push  HAVE repairs               station.sendHave, station.pump
 *   hush, ask   R8, after a restore        station.hush, station.mustWait, station.sendReceipted
 *
 * Properties:
 *   assert: an entry counted as received by the author is on the reader's disk,
 *     unless the disk was replaced and has not caught up yet;
 *   assert: no receipt is smaller than one that the author has seen, whether
 *     the reader was restored or not;
 *   ltl done: when losses, crashes and restores end, everything is held and
 *     everything is acknowledged.
 *
 * Not here: a reader that lies (a receipt is its word), more readers, an author
 * that shows another history after the restore (forks.pml).
 *
 * check: safety   expect=ok       states=1964114 about="what is acknowledged is held; receipts never shrink"
 * check: ltl=done expect=ok       states=999582 defs="FAULTS=2" about="everything arrives in the end"
 * check: safety   expect=violated defs="RECEIPTFIRST" about="wrong: receipt before durable"
 * check: safety   expect=violated defs="NOASK" about="wrong: a restored reader does not ask for its own receipts"
 * check: safety   expect=violated defs="TIMEOUT" about="limit: after 60 s without an answer it receipts all the same"
 * check: ltl=done expect=violated defs="NOHAVE" about="wrong: nothing is said again after a loss"
 */
#define N 2

mtype = { FRAME, HAVE, RECEIPT, ASK, SHOWN };
chan toReader = [2] of { mtype, byte };
chan toAuthor = [2] of { mtype, byte };

byte held;                 /* entries on the reader's disk */
byte mine;                 /* size of its newest receipt, as its disk knows it */
byte backupHeld, backupMine; bool taken;
bool replaced;             /* an old backup lies there, not caught up yet */
byte said;                 /* greatest size of a receipt that left */
byte acked;                /* what the author counts as received */
#ifndef FAULTS
#define FAULTS 3
#endif
byte faults = FAULTS;         /* losses, repeats, crashes, in all */
bool restores = true;      /* one may still come */

#define CRASH atomic { faults > 0 -> faults-- }; goto boot
#define SAY assert(mine >= acked); said = (mine > said -> mine : said)
#define TELL(ch, what, n) if \
	:: nfull(ch) -> ch!what(n) \
	:: full(ch) -> skip                          /* its queue is full: dropped */ \
	:: atomic { faults > 0 -> faults-- }                                /* lost */ \
	:: atomic { faults > 0 && empty(ch) -> faults--; ch!what(n); ch!what(n) } /* twice */ \
	fi

active proctype Author() {
	byte n;
	do
	:: toAuthor?HAVE(n) ->         /* push what is missing */
		do :: n < N -> TELL(toReader, FRAME, n); n++ :: else -> break od; n = 0
	:: toAuthor?RECEIPT(n) -> atomic {
		if :: n > acked -> acked = n :: else fi; n = 0 }
	:: toAuthor?ASK(n) -> TELL(toReader, SHOWN, acked)
	od
}

active proctype Reader() {
	byte n, have;          /* have: entries in memory, a batch ahead of the disk */
	bool heard = true;
#ifdef NOHAVE
	bool greeted;
#endif
boot:
	atomic { have = held; n = 0 };
	do
	:: toReader?FRAME(n) ->
		if
		:: n == have -> have++;
#ifdef RECEIPTFIRST
			if :: heard && have >= mine -> atomic { mine = have; SAY };
				TELL(toAuthor, RECEIPT, have) :: else fi;
			if :: CRASH :: skip fi;
			atomic { held = have }
#else
			if :: CRASH :: skip fi; /* crash: nothing happened */
			atomic { /* one transaction: entry, head and receipt */
				held = have;
				if :: heard && have >= mine -> mine = have :: else fi;
				if :: held >= said -> replaced = false :: else fi };
			if :: CRASH :: skip fi; /* crash: stored, not sent */
			if
			:: heard && mine == have ->
				atomic { SAY };
				TELL(toAuthor, RECEIPT, mine)
			:: else
			fi
#endif
		:: n < have && mine > 0 && heard -> /* repeat: the stored receipt again */
			atomic { SAY };
			TELL(toAuthor, RECEIPT, mine)
		:: else
		fi; n = 0
	:: toReader?SHOWN(n) -> atomic { heard = true;
		if :: n > mine -> mine = n :: else fi; n = 0 }
#ifndef NOHAVE
	:: empty(toAuthor) && empty(toReader) && (have < N || !heard || acked < N) -> /* heartbeat */
		if
		:: !heard -> toAuthor!ASK(0)
		:: else
		fi;
		if
		:: heard && have == held && mine < have -> atomic { mine = have; SAY }
		:: else
		fi;
		if
		:: have < N -> TELL(toAuthor, HAVE, have)
		:: heard && have == N -> atomic { SAY }; TELL(toAuthor, RECEIPT, mine)
		:: else
		fi
#else
	:: !greeted -> greeted = true; toAuthor!HAVE(0) /* once, when it comes up */
#endif
#ifdef TIMEOUT
	:: !heard -> heard = true
#endif
	:: CRASH
	:: !taken -> atomic { taken = true; backupHeld = held; backupMine = mine }
	:: atomic { restores && faults > 0 -> faults--; restores = false;
		held = backupHeld; mine = backupMine;
		replaced = (held < said);
#ifndef NOASK
		heard = false
#endif
		}; goto boot
	od
}

#define HOLDS (acked <= held || replaced)
active proctype Watch() { /* an assertion of its own: true in every state */
	if :: atomic { !HOLDS -> assert(false) } fi
}

/* Fairness in spin wants that something can always move. */
active proctype Idle() { bool tick; do :: tick = !tick od }

ltl done { <>[] (held == N && acked == N) }
