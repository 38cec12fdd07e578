package sim

// mutant is a way in which the product could break its promises. Tests run
// worlds with each of them, to show that the simulator sees it.
type mutant int

const (
	sound     mutant = iota
	hasty            // frames leave although their batch was not made durable
	forgetful        // a disk loses the newest batch when its process ends
	trusting         // a start never doubts its disk
)
