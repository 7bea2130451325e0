package console

import (
	"fmt"
	"io/fs"
	"net/http"
)

// ReferencePath is the path of the API reference; its files are below it.
const ReferencePath = "/v1/docs"

// referenceNotBuilt is the page of a binary that was built without the reference.
const referenceNotBuilt = `<!doctype html>
<html lang="en">
<title>The API reference is not part of this build</title>
<h1>The API reference is not part of this build</h1>
<p>Run <code>make console</code> in the checkout, build the program again and restart it.
The <a href="openapi.json">OpenAPI document</a> is served without it.</p>
`

// NewReference returns the handler of ReferencePath and of the paths below it. The files are those
// of the build; nil are those of the binary. The page connects to the API only.
func NewReference(files fs.FS) (http.Handler, error) {
	policy, err := Policy("", nil)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	if files == nil {
		files = Files("reference")
	}
	h := &handler{
		path: ReferencePath, files: map[string]file{}, policy: policy, opener: openerPolicy(nil),
		notBuilt: referenceNotBuilt,
	}
	if err := h.load(files); err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	return h, nil
}
