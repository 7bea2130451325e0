package console

import (
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

// examples serves the pages of an application that contain the widgets.
type examples struct{ handler }

// NewExamples returns the handler of the example pages, for a server of another origin than the
// API's. The files are those of the build; nil are those of the binary. The pages connect to the
// origins of the URLs of the API and of Centrifugo.
func NewExamples(files fs.FS, apiURL, realtimeURL string) (http.Handler, error) {
	policy, err := policy([]string{apiURL, realtimeURL}, nil)
	if err != nil {
		return nil, fmt.Errorf("examples: %w", err)
	}
	if files == nil {
		files = Files("examples")
	}
	e := &examples{handler{path: "/", files: map[string]file{}, policy: policy}}
	if err := e.load(files); err != nil {
		return nil, fmt.Errorf("examples: %w", err)
	}
	return e, nil
}

// examplesNotBuilt is the page of a binary that was built without the examples.
const examplesNotBuilt = `<!doctype html>
<html lang="en">
<title>The examples are not part of this build</title>
<h1>The examples are not part of this build</h1>
<p>Run <code>make console</code> in the checkout, and start the program again.</p>
`

// ServeHTTP serves a file, and the index of a folder at its path with a slash at the end.
func (e *examples) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.setHeaders(w.Header())
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" || strings.HasSuffix(name, "/") {
		name += index
	}
	if found, ok := e.files[name]; ok {
		found.serve(w, r, name)
		return
	}
	if _, folder := e.files[name+"/"+index]; folder {
		http.Redirect(w, r, "/"+name+"/", http.StatusMovedPermanently)
		return
	}
	if len(e.files) == 0 && name == index {
		w.Header().Set("Content-Type", mediaTypes[".html"])
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(examplesNotBuilt)) // fails only if the client has disconnected
		return
	}
	http.Error(w, "There is no such example.", http.StatusNotFound)
}
