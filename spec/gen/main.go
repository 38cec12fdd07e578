// Gen writes the vectors of the specification. It is deterministic: running it
// twice gives the same files. Run it with "go generate ./spec".
package main

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
)

// writer collects the vectors of one page.
type writer struct {
	dir, page string
	names     map[string]bool
}

// vector writes one vector file. params are extra header lines "key: value".
func (w *writer) vector(name, expect, rule, comment string, input []byte, params ...string) {
	if w.names[name] {
		log.Fatalf("vector %s/%s is written twice", w.page, name)
	}
	w.names[name] = true
	var b bytes.Buffer
	fmt.Fprintf(&b, "page: %s\nexpect: %s\nrule: %s\ncomment: %s\n", w.page, expect, rule, comment)
	for _, p := range params {
		b.WriteString(p + "\n")
	}
	b.WriteByte('\n')
	for line := range slices.Chunk([]byte(hex.EncodeToString(input)), 64) {
		b.Write(append(line, '\n'))
	}
	if err := os.WriteFile(filepath.Join(w.dir, w.page, name+".txt"), b.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

// pages maps each page to the function that writes its vectors. Each file of
// this program adds its own in init.
var pages = map[string]func(*writer){}

func main() {
	dir := flag.String("dir", "vectors", "where to write")
	flag.Parse()
	for page, f := range pages {
		if err := os.RemoveAll(filepath.Join(*dir, page)); err != nil {
			log.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(*dir, page), 0o755); err != nil {
			log.Fatal(err)
		}
		f(&writer{dir: *dir, page: page, names: map[string]bool{}})
	}
}
