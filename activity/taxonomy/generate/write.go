package generate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Write writes the files to a directory, creates the directory if it does not exist, and removes
// files that were generated before and are not in the list. It does not change files without
// Header: if a file of the list has the name of such a file, Write returns an error and writes
// nothing. written and removed are sorted names; they do not include unchanged files.
func Write(directory string, files []File) (written, removed []string, err error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, nil, err
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, nil, err
	}
	existing := map[string][]byte{}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(directory, entry.Name()))
		if err != nil {
			return nil, nil, err
		}
		generated := bytes.HasPrefix(text, []byte(Header))
		wanted := slices.ContainsFunc(files, func(f File) bool { return f.Name == entry.Name() })
		switch {
		case generated && !wanted:
			removed = append(removed, entry.Name())
		case wanted && !generated:
			return nil, nil, fmt.Errorf(
				"%s is not a generated file; no file was written",
				filepath.Join(directory, entry.Name()),
			)
		case wanted:
			existing[entry.Name()] = text
		}
	}
	for _, file := range files {
		if text, ok := existing[file.Name]; ok && bytes.Equal(text, file.Text) {
			continue
		}
		if err := os.WriteFile(filepath.Join(directory, file.Name), file.Text, 0o644); err != nil {
			return written, nil, err
		}
		written = append(written, file.Name)
	}
	for i, name := range removed {
		if err := os.Remove(filepath.Join(directory, name)); err != nil {
			return written, removed[:i], err
		}
	}
	return written, removed, nil
}
