// Generate writes what is made from the table of secret detectors: the migration with the
// database's matchers and the table in docs/secrets.md. Its argument is the root of the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// The generated files, relative to the root of the repository.
const (
	migrationFile = "migrations/013_secret_detectors.sql"
	pageFile      = "docs/secrets.md"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate <root of the repository>")
		os.Exit(2)
	}
	files, err := generate(os.Args[1])
	for name, text := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[1], name), []byte(text), 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// generate returns the texts of the generated files by their names. The page keeps its text outside
// of the markers, so it is read from root.
func generate(root string) (map[string]string, error) {
	page, err := os.ReadFile(filepath.Join(root, pageFile))
	if err != nil {
		return nil, err
	}
	text, err := updatePage(string(page))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pageFile, err)
	}
	return map[string]string{migrationFile: migration(), pageFile: text}, nil
}
