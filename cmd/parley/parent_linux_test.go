package main

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends a child with the tests, however they end.
func dieWithParent(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
