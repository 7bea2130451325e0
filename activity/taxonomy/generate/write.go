package generate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Write puts the files into a directory, which it makes where there is none, and removes those that
// were generated there before and are not among them. It touches no file that somebody else wrote:
// where one has the name of a file to write, nothing is written at all. written and removed are
// names, sorted; a file that is as it was counts as neither.
func Write(directory string, files []File) (written, removed []string, err error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, nil, err
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, nil, err
	}
	stand := map[string][]byte{}
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
				"%s was not generated, and is left alone; nothing was written",
				filepath.Join(directory, entry.Name()),
			)
		case wanted:
			stand[entry.Name()] = text
		}
	}
	for _, file := range files {
		if text, ok := stand[file.Name]; ok && bytes.Equal(text, file.Text) {
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
