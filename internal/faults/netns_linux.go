package faults

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Net is a pair of network namespaces joined by one wire, where packets are
// really lost. It needs root, and ip and nft.
type Net struct {
	Names [2]string // for ip netns exec
	Addrs [2]string
}

// NewNet makes a pair that nobody else uses.
func NewNet() (*Net, error) {
	if os.Getuid() != 0 {
		return nil, fmt.Errorf("network namespaces need root")
	}
	id := fmt.Sprintf("pf%d", os.Getpid())
	n := &Net{Names: [2]string{id + "a", id + "b"}, Addrs: [2]string{"10.99.0.1", "10.99.0.2"}}
	script := fmt.Sprintf(`ip netns add %[1]sa && ip netns add %[1]sb &&
ip link add %[1]sv type veth peer name %[1]sw && ip link set %[1]sv netns %[1]sa && ip link set %[1]sw netns %[1]sb &&
ip -n %[1]sa addr add 10.99.0.1/24 dev %[1]sv && ip -n %[1]sb addr add 10.99.0.2/24 dev %[1]sw &&
ip -n %[1]sa link set %[1]sv up && ip -n %[1]sb link set %[1]sw up &&
ip -n %[1]sa link set lo up && ip -n %[1]sb link set lo up && ip netns exec %[1]sa nft list ruleset`, id)
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		n.Close()
		return nil, fmt.Errorf("ip netns or nft: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return n, nil
}

// Lose drops so many of a hundred packets that arrive at one end, all at 100;
// at 0 the line is good again.
func (n *Net) Lose(end, percent int) error {
	rules := "flush ruleset\n"
	if percent > 0 {
		some := fmt.Sprintf("numgen random mod 100 < %d", percent)
		if percent >= 100 {
			some = ""
		}
		rules += "table inet f {\n chain in {\n  type filter hook input priority 0;\n  iif != \"lo\" " + some + " drop\n }\n}\n"
	}
	c := exec.Command("ip", "netns", "exec", n.Names[end], "nft", "-f", "-")
	c.Stdin = strings.NewReader(rules)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Close removes the pair.
func (n *Net) Close() {
	for _, name := range n.Names {
		exec.Command("ip", "netns", "del", name).Run()
	}
}
