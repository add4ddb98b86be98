// Command pack writes modules as the files of a module proxy, as a release would publish them.
//
//	pack PROXY MODULE@VERSION=FOLDER...
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: pack PROXY MODULE@VERSION=FOLDER..."))
	}
	for _, arg := range os.Args[2:] {
		if err := pack(os.Args[1], arg); err != nil {
			fail(fmt.Errorf("%s: %w", arg, err))
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "pack:", err)
	os.Exit(1)
}

func pack(proxy, arg string) error {
	name, folder, _ := strings.Cut(arg, "=")
	path, version, _ := strings.Cut(name, "@")
	m := module.Version{Path: path, Version: version}
	if err := module.Check(path, version); err != nil {
		return err
	}
	escaped, err := module.EscapePath(path)
	if err != nil {
		return err
	}
	at := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(at, 0o777); err != nil {
		return err
	}
	goMod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, time.Now().UTC()})
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info,
		version + ".mod": goMod} {
		if err := os.WriteFile(filepath.Join(at, name), data, 0o666); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		return err
	}
	// CreateFromDir omits nested modules and returns an error for files that a module may not contain.
	if err := zip.CreateFromDir(f, m, folder); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
