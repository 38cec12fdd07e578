package node

import (
	"context"

	"parley"
)

// PostTogether appends drafts of one lane, adjacent and in one batch, or none
// of them, and returns where they stand once they are durable. A RELEASE goes
// first and is checked with the draft behind it.
func (n *Node) PostTogether(ctx context.Context, drafts ...parley.Draft) ([]parley.Ref, error) {
	return nil, parley.Errorf(CodeStopped, "not yet")
}
