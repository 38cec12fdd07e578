package store

import (
	"syscall"

	"parley"
)

// Magic numbers of statfs(2) for file systems that live on another machine,
// where locks and shared memory do not hold.
var remoteKinds = map[uint32]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x01021997: "9p",
	0x00c36400: "Ceph",
}

func refuseRemote(dir string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return parley.Errorf(CodeFailed, "directory %s: %w", dir, err)
	}
	if name, ok := remoteKinds[uint32(st.Type)]; ok {
		return parley.Errorf(CodeUnsafe, "%s lies on a network file system (%s)", dir, name)
	}
	return nil
}
