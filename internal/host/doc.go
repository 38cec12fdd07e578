// Package host joins the parts of a running party in one visible place: the
// files of its directory, the store, the node, the carrier and the witnesses.
// The command line, the demonstration and the tests all start parties with it.
//
//	h, err := host.Open(dir, host.Options{Listen: "127.0.0.1:7001"})
//	go h.Run(ctx)
//	ref, err := h.Node.Post(ctx, draft)
package host
