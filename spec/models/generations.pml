/* Generations: a party never signs two contents for one place of its logs.
 *
 * One party with two machines (the second a copy of the first's backup), one
 * lane. Each append is memory -> durable -> mark -> signed and sent, with a
 * crash possible before every step. Backups are taken and restored at will.
 *
 *   step here   rule                            Go
 *   commit      protocol rule 4, spec/journal   station.Effects.Commit, store.SQLite.Commit
 *   mark        ARCHITECTURE walk, step 4       store.HighWater.Set
 *   publish     journal J8 and after            station.Effects.Commit (SignHead, Sends)
 *   doubt       README "old copy"               host.Host.doubt, station.Station.start
 *   stale       README "old copy"               station.ownStale, station.tryFinish
 *   again       the same head once more         station.signAgain
 *   renew       spec/journal, Generations       station.newGeneration
 *
 * Property: assert in publish: never two contents at one (generation, index).
 *
 * Not here: several lanes (all share the generation), signatures, receipts
 * (receipts.pml), the pulling back of what was lost (recovery.pml), and the
 * drawing of names: a fresh name is one that never occurred, which 64 random
 * bits are but for 1 in 2^64.
 *
 * check: safety expect=ok        states=3365212 about="restores in place, elsewhere, by word or not"
 * check: safety expect=ok        states=22657 defs="WHOLE" about="mark restored too; a peer that holds all is asked"
 * check: safety expect=violated  defs="SENDFIRST" about="wrong: send before durable"
 * check: safety expect=violated  defs="INPLACE" about="wrong: restore and go on in the same generation"
 * check: safety expect=violated  defs="COUNTER" about="wrong: new generation = the backup's + 1"
 * check: safety expect=violated  defs="WHOLE ALONE" about="limit: mark restored too, nobody to ask, no --restored"
 * check: safety expect=violated  defs="WHOLE LOST" about="limit: mark restored too, the peer never got the frame"
 * check: safety expect=violated  defs="WHOLE CLONE" about="limit: a whole directory copied, both run"
 * check: safety expect=violated  defs="MARKLOST" about="limit: a power cut takes the newest mark back, then an old record is copied in place"
 */
#define N 3 /* entries in a generation */
#define G 4 /* names of generations */
#define C 6 /* contents */
#define AT(g, i) ((g) * N + (i))

typedef Disk {
	byte gen, size, e[N];   /* the record */
	bool mk;                /* the high-water file is there */
	byte mkgen, mksize;
	byte oldgen, oldsize    /* the mark before: what a power cut may leave */
}
Disk disk[2], backup;
bool taken;                 /* there is a backup */
bool runs[2];
byte next = 1, fresh = 1;   /* never used before */
byte published[G * N];      /* what the world was ever shown at a place */
bool held[G * N];           /* and what a peer that can be asked holds of it */
byte restores;

#define MARK(k) \
	disk[k].oldgen = disk[k].mkgen; disk[k].oldsize = disk[k].mksize; \
	disk[k].mkgen = disk[k].gen; disk[k].mksize = disk[k].size; disk[k].mk = true

#ifdef LOST
#define ARRIVE(p) if :: held[p] = true :: skip fi
#else
#define ARRIVE(p) held[p] = true
#endif
#define PUBLISH(p, what) \
	assert(published[p] == 0 || published[p] == what); published[p] = what; ARRIVE(p)
#define HERE(k, index) AT(disk[k].gen, index)

/* The record, or the whole directory with the mark, is copied back. */
inline restore(k) {
	disk[k].gen = backup.gen; disk[k].size = backup.size;
	i = 0;
	do :: i < N -> disk[k].e[i] = backup.e[i]; i++ :: else -> break od;
#ifdef WHOLE
	disk[k].mk = backup.mk; disk[k].mkgen = backup.mkgen; disk[k].mksize = backup.mksize;
#else
	if
	:: k == 0 -> skip                 /* highwater still lies there */
	:: disk[k].mk = false             /* or not; never in a backup */
	fi;
#endif
	word = false;
#ifndef WHOLE
	if :: word = true :: skip fi;     /* parley serve --restored */
#endif
	i = 0
}

proctype Party(byte k) {
	byte i, c;
	bool word, doubt;
boot:
	atomic {
		doubt = word || (disk[k].gen > 0 && !disk[k].mk) ||
			(disk[k].mk && (disk[k].mkgen != disk[k].gen || disk[k].mksize > disk[k].size));
		word = false;
#ifdef INPLACE
		doubt = false;
#endif
#if !defined(ALONE) && !defined(INPLACE)
		if
		:: disk[k].gen > 0 && disk[k].size < N ->
			if
			:: held[HERE(k, disk[k].size)] -> doubt = true /* stale: a peer shows more */
			:: !held[HERE(k, disk[k].size)] -> skip
#ifndef WHOLE
			:: skip                                        /* nobody can be asked */
#endif
			fi
		:: else
		fi;
#endif
		i = 0
	}
	if
	:: disk[k].gen > 0 && !doubt ->   /* again: the newest head, as it lies on the disk */
		if
		:: disk[k].size > 0 -> atomic { MARK(k) }; atomic { PUBLISH(HERE(k, disk[k].size - 1), disk[k].e[disk[k].size - 1]) }
		:: else
		fi
	:: else ->                        /* renew */
		atomic {
			if :: fresh < G && next <= C :: else -> goto done fi;
#ifdef COUNTER
			disk[k].gen = disk[k].gen + 1;
			if :: disk[k].gen >= G -> goto done :: else fi;
#else
			disk[k].gen = fresh;
#endif
			fresh++;
			disk[k].e[0] = next; disk[k].e[1] = 0; disk[k].e[2] = 0; next++;
			disk[k].size = 1
		};
		if :: skip :: goto crash fi;
		atomic { MARK(k) };
		if :: skip :: goto crash fi;
		atomic { PUBLISH(HERE(k, 0), disk[k].e[0]) }
	fi;
	do
	:: atomic { disk[k].size < N && next <= C -> c = next; next++ };
#ifdef SENDFIRST
		atomic { PUBLISH(HERE(k, disk[k].size), c) };
		if :: skip :: goto crash fi;
		atomic { disk[k].e[disk[k].size] = c; disk[k].size++ };
		atomic { MARK(k) };
#else
		if :: skip :: goto crash fi;
		atomic { disk[k].e[disk[k].size] = c; disk[k].size++ };
		if :: skip :: goto crash fi;
		atomic { MARK(k) };
		if :: skip :: goto crash fi;
		atomic { PUBLISH(HERE(k, disk[k].size - 1), c) };
#endif
	:: atomic { !taken -> taken = true; /* a copy of the record while the node is stopped */
		backup.gen = disk[k].gen; backup.size = disk[k].size;
		backup.mk = disk[k].mk; backup.mkgen = disk[k].mkgen; backup.mksize = disk[k].mksize;
		i = 0;
		do :: i < N -> backup.e[i] = disk[k].e[i]; i++ :: else -> break od; i = 0 }
	:: goto crash
	od;
crash:
	atomic {
		c = 0;
#ifdef MARKLOST
		if :: disk[k].mkgen = disk[k].oldgen; disk[k].mksize = disk[k].oldsize :: skip fi;
#endif
		if
		:: taken && restores < 2 -> restores++; restore(k)
#if !defined(WHOLE) || defined(CLONE)
		:: taken && restores < 2 && k == 0 && !runs[1] -> /* on another machine; this one runs on */
			restores++; runs[1] = true; restore(1); word = false; run Party(1)
#endif
		:: skip
		fi
	};
	goto boot;
done:
	skip
}

init { atomic { runs[0] = true; run Party(0) } }
