// Package node runs one party's station in the world: it reads the clock,
// hands events to the station one batch at a time, makes each batch durable,
// and only then lets its frames go.
//
// One goroutine owns the station and the desks; everything else talks to it
// through channels. Events that arrive while a batch is being written wait and
// make up the next one: under load a commit carries many entries, and alone an
// entry is committed at once. Frames of urgent connections are taken before
// those of bulk ones, and those of every member from a queue of its own: see
// inbox for what keeps a flood by one of them from the others.
//
// The node knows stores and carriers only by the small interfaces below.
package node
