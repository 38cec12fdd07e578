// Package station is the protocol machine of one party: events in, effects
// out. It owns no clock, socket, disk or goroutine.
//
//	fx := st.Step(now, events...)       // pure: state advances in memory
//	out, err := fx.Commit(persist)      // persist, then sign, then give out frames
//	for _, s := range out.Sends { ... } // only what a committed batch allows
//
// The order of durability is in the types: the frames of a step lie inside its
// Effects, and the only way to them is Commit, which hands the batch to the
// store first and signs nothing before the store has returned. The caller
// commits the effects of one step before it makes the next. If persist fails,
// the station's memory is ahead of its disk and must be thrown away: the
// process ends.
//
// The same configuration, store and events give the same effects byte for
// byte; randomness comes from Config.Rand, except inside HPKE, which reads
// crypto/rand (package seal).
package station
