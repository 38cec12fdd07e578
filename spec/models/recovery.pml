/* Recovery: a party gets its own log back from its peers while it goes on
 * writing, and nothing that any peer holds is lost or signed a second time.
 *
 * One party whose record was put back to an older size, or wiped, and two
 * peers that hold different lengths of its old log; one of them may be away
 * for long. The party starts in doubt: new entries go to a new generation, and
 * the old log is pulled back from whoever comes. It may be restored once more
 * in the middle.
 *
 *   step here   rule                         Go
 *   begin       spec/journal, Generations    station.tryFinish, station.newGeneration
 *   ask, pull   frames, HAVE and WANT        station.wantMissing, station.judgeHead, station.adoptHeld
 *   append      protocol rule 6              station.appendOwn, in the generation that this start began
 *   receipt     receipts R8                  station.giveReceipts at the peer
 *   restore     README "old copy"            host.Host.doubt, host.Restore
 *
 * Properties:
 *   assert in WRITE: never two contents at one (generation, index);
 *   ltl back: in the end the party holds all of its old log that a peer holds,
 *     and both peers hold all that it wrote since.
 *
 * Not here: entries that nobody had received, which are lost with the disk and
 * listed; the content of entries that a peer may not read (askBlank); crashes
 * between durable and sent (generations.pml).
 *
 * check: safety   expect=ok       states=498166 about="recovering and writing at once: one content for each place"
 * check: ltl=back expect=ok       states=621620 about="all that a peer holds comes back; all that is new arrives"
 * check: safety   expect=violated defs="GOON" about="wrong: it goes on in the old log as soon as one peer has answered"
 * check: ltl=back expect=violated defs="ONEPEER" about="wrong: the first peer's answer is taken for all"
 */
#define N 3 /* size of the old log before the loss */
#define M 2 /* new entries in each generation */
#define GENS 3

byte own[GENS];            /* the party's disk: size of each generation's log; 0 is the old one */
byte gen;                  /* the generation that it writes in */
byte held[2 * GENS];       /* per peer and generation: size that the peer holds */
byte high[GENS];         /* greatest size ever signed */
bool here[2];              /* the peer is connected */
byte absences = 2;
bool ended, again = true;  /* faults are over; one more restore may come */

#define HELD(p, g) held[(p) * GENS + (g)]
/* Writing at an index that was signed before, from a disk that does not have
 * that entry, would be a second content. */
#define WRITE(g) assert(own[g] == high[g]); own[g]++; high[g] = own[g]

proctype Party() {
	byte g;
	do
	:: atomic { gen == 0 ->                            /* begin */
#ifdef GOON
		if :: (here[0] && own[0] >= HELD(0, 0)) || (here[1] && own[0] >= HELD(1, 0)) -> gen = 0; WRITE(0); break :: else fi
#else
		gen = (high[1] == 0 -> 1 : 2);
		WRITE(gen)                                 /* its GENERATION */
#endif
		}
	:: atomic { gen > 0 && own[gen] < M -> WRITE(gen) } /* append */
	:: atomic { here[0] && own[0] < HELD(0, 0) -> own[0]++ }  /* pull, also of a generation between */
	:: atomic { here[0] && gen == 2 && own[1] < HELD(0, 1) -> own[1]++ }
#ifndef ONEPEER
	:: atomic { here[1] && own[0] < HELD(1, 0) -> own[0]++ }
	:: atomic { here[1] && gen == 2 && own[1] < HELD(1, 1) -> own[1]++ }
#endif
	:: atomic { again && !ended -> again = false;      /* restore: an older size of everything */
		if :: own[0] > 0 -> own[0]-- :: own[0] = 0 :: skip fi;
		own[1] = 0; own[2] = 0; gen = 0 }
	od
}

proctype Peer(byte p) { /* takes what the party or, through it, the other peer has */
	do
	:: atomic { here[p] && HELD(p, 0) < own[0] -> HELD(p, 0)++ }
	:: atomic { here[p] && HELD(p, 1) < own[1] -> HELD(p, 1)++ }
	:: atomic { here[p] && HELD(p, 2) < own[2] -> HELD(p, 2)++ }
	od
}

active proctype World() {
	byte p;
	high[0] = N;
	if :: HELD(0, 0) = 0 :: HELD(0, 0) = 1 :: HELD(0, 0) = N fi;
	if :: HELD(1, 0) = 1 :: HELD(1, 0) = 2 :: HELD(1, 0) = N fi;
	if :: own[0] = 0 :: own[0] = 1 fi;
	run Party(); run Peer(0); run Peer(1);
	do
	:: absences > 0 && !ended -> absences--; if :: p = 0 :: p = 1 fi; here[p] = !here[p]; p = 0
	:: ended = true; here[0] = true; here[1] = true; break
	od
}

/* Fairness in spin wants that something can always move. */
active proctype Idle() { bool tick; do :: tick = !tick od }

#define ALL(g) (own[g] >= HELD(0, g) && own[g] >= HELD(1, g) && HELD(0, g) == own[g] && HELD(1, g) == own[g])
ltl back { <> [] (gen > 0 && ALL(0) && (gen == 1 || ALL(1)) && ALL(gen) && own[gen] == M) }
