// Package sim puts whole channels through thousands of bad nights in one
// thread: many stations, one seeded heap of events, simulated time, no
// goroutine and no real clock. What a seed does, it does again, so a night
// that broke a promise can be watched as often as needed.
//
// A World is one channel with its members' nodes, disks, links and witnesses.
// Its Plan, drawn from the seed, says which faults happen and how often: few
// kinds in each world, so that rare combinations come up in some. Between the
// hours of work lie gaps of minutes to weeks. Then the faults stop, the world
// gets time to heal, and everything that was promised must hold:
//
//   - while it runs (safety): one content per place in a log, no receipt
//     without what it states, nothing receipted lost from a disk, no honest
//     party convicted, buffers within their bounds, FLASH never sent as bulk;
//   - when it has healed (liveness): every honest entry with every honest
//     member, every equivocation proved to all who can talk, equal folds, no
//     key past its time, records that the verifier accepts.
//
// What is not simulated: SQLite and the file system (internal/store tortures
// those), TLS and sockets (cmd/parley does), and time spent computing. Keys
// and signatures are real.
package sim
