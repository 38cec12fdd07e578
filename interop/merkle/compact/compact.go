// Package compact is that of the release.
package compact

import "merkle.release/compact"

type NodeID = compact.NodeID

func NewNodeID(level uint, index uint64) NodeID { return compact.NewNodeID(level, index) }

func RangeNodes(begin, end uint64, ids []NodeID) []NodeID {
	return compact.RangeNodes(begin, end, ids)
}

func RangeSize(begin, end uint64) int { return compact.RangeSize(begin, end) }
