package stage

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/fanfarehq/fanfare/internal/console"
)

// DistOf returns the console's files in a directory that a build writes: the directory itself, or
// console in it.
func DistOf(dir string) (fs.FS, error) {
	for _, candidate := range []string{filepath.Join(dir, "console"), dir} {
		if _, err := os.Stat(filepath.Join(candidate, "index.html")); err == nil {
			return os.DirFS(candidate), nil
		}
	}
	return nil, fmt.Errorf("%s contains no index.html: run make console, or npx vite build", dir)
}

// ExamplesOf returns the example pages in a directory that a build writes.
func ExamplesOf(dir string) fs.FS { return os.DirFS(filepath.Join(dir, "examples")) }

// configPath is the path of what the daemon decides.
const configPath = console.Path + "config.json"

// consoleFiles serves the console as the daemon does, but reads the files for each request.
func consoleFiles(options console.Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, err := console.New(options)
		if err != nil { // a build replaces the files
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		h.ServeHTTP(w, r)
	})
}
