//go:build unix

package store

import (
	"bytes"
	"path/filepath"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The VFS "traced" passes everything to the system's and writes down what
// reaches the disk: writes, truncations, fsyncs and deletions of the database,
// its journal and its write-ahead log. From the trace a test builds the files
// as a power cut at any moment could have left them. It can also fail one
// operation.

type event struct {
	op   string // "write", "cut", "sync", "delete"; "ack" and "forget" are the tests' own
	file string // base name
	off  int64  // of a write; the new size of a cut; the size acknowledged
	data []byte
}

var traced struct {
	sync.Mutex
	events []event
	// fail is asked before every operation; what is not OK is returned to
	// SQLite instead of doing it.
	fail func(e event) int32
}

type openFile struct {
	name string
	real *sqlite3.Tsqlite3_io_methods
}

var (
	openFiles   = map[uintptr]openFile{} // by sqlite3_file; guarded by traced
	realVFS     *sqlite3.Tsqlite3_vfs
	realVFSAddr uintptr
	registerVFS = sync.OnceFunc(func() {
		tls := libc.NewTLS()
		sqlite3.Xsqlite3_initialize(tls)
		realVFSAddr = sqlite3.Xsqlite3_vfs_find(tls, 0)
		realVFS = at[sqlite3.Tsqlite3_vfs](realVFSAddr)
		own := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(*realVFS)))
		v := at[sqlite3.Tsqlite3_vfs](own)
		*v = *realVFS
		name, err := libc.CString("traced")
		if err != nil {
			panic(err)
		}
		v.FzName, v.FpNext = name, 0
		v.FxOpen, v.FxDelete = code(tracedOpen), code(tracedDelete)
		sqlite3.Xsqlite3_vfs_register(tls, own, 0)
	})
)

// at is the C object at an address.
func at[T any](addr uintptr) *T { return *(**T)(unsafe.Pointer(&addr)) }

// code is a Go function as the translated SQLite stores it in a struct, and
// call gets it back.
func code(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] }

func call[F any](fn uintptr) F { return *(*F)(unsafe.Pointer(&fn)) }

// note writes the operation down, unless it is to fail.
func note(e event) int32 {
	traced.Lock()
	defer traced.Unlock()
	if traced.fail != nil {
		if rc := traced.fail(e); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	traced.events = append(traced.events, e)
	return sqlite3.SQLITE_OK
}

func fileOf(file uintptr) openFile {
	traced.Lock()
	defer traced.Unlock()
	return openFiles[file]
}

func tracedOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	rc := call[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](realVFS.FxOpen)(tls, realVFSAddr, name, file, flags, out)
	if rc != sqlite3.SQLITE_OK || flags&(sqlite3.SQLITE_OPEN_MAIN_DB|sqlite3.SQLITE_OPEN_MAIN_JOURNAL|sqlite3.SQLITE_OPEN_WAL) == 0 {
		return rc
	}
	f := at[sqlite3.Tsqlite3_file](file)
	real := at[sqlite3.Tsqlite3_io_methods](f.FpMethods)
	own := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(*real)))
	m := at[sqlite3.Tsqlite3_io_methods](own)
	*m = *real
	m.FxWrite, m.FxTruncate, m.FxSync, m.FxRead = code(tracedWrite), code(tracedTruncate), code(tracedSync), code(tracedRead)
	traced.Lock()
	openFiles[file] = openFile{filepath.Base(libc.GoString(name)), real}
	traced.Unlock()
	f.FpMethods = own
	return rc
}

// What fail may return for a write besides SQLite's codes.
const (
	tornWrite        = -1 // half of its sectors land, and it fails
	lostWrite        = -2 // it does not land, and seems to succeed
	misdirectedWrite = -3 // it lands some pages away, and seems to succeed
)

var misdirection int64 // pages

func tracedRead(tls *libc.TLS, file, buf uintptr, n int32, off int64) int32 {
	traced.Lock()
	f, fail := openFiles[file], traced.fail
	traced.Unlock()
	if fail != nil {
		if rc := fail(event{"read", f.name, off, nil}); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	return call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.real.FxRead)(tls, file, buf, n, off)
}

func tracedWrite(tls *libc.TLS, file, buf uintptr, n int32, off int64) int32 {
	f := fileOf(file)
	data := bytes.Clone(unsafe.Slice(at[byte](buf), n))
	write := call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.real.FxWrite)
	switch rc := note(event{"write", f.name, off, data}); rc {
	case sqlite3.SQLITE_OK:
		return write(tls, file, buf, n, off)
	case tornWrite:
		write(tls, file, buf, n/2/512*512, off) // whole sectors
		return sqlite3.SQLITE_IOERR_WRITE
	case lostWrite:
		return sqlite3.SQLITE_OK
	case misdirectedWrite:
		return write(tls, file, buf, n, max(off+misdirection*4096, 0))
	default:
		return rc
	}
}

func tracedTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	f := fileOf(file)
	if rc := note(event{"cut", f.name, size, nil}); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return call[func(*libc.TLS, uintptr, int64) int32](f.real.FxTruncate)(tls, file, size)
}

func tracedSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	f := fileOf(file)
	if rc := note(event{"sync", f.name, 0, nil}); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return call[func(*libc.TLS, uintptr, int32) int32](f.real.FxSync)(tls, file, flags)
}

func tracedDelete(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32 {
	if rc := note(event{"delete", filepath.Base(libc.GoString(name)), 0, nil}); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return call[func(*libc.TLS, uintptr, uintptr, int32) int32](realVFS.FxDelete)(tls, realVFSAddr, name, syncDir)
}
