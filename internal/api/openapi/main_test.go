package main

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the copy of the console's client")

// committed is the copy from which the types of the console's client are generated.
const committed = "../../console/web/client/openapi.json"

func TestCommittedDocument(t *testing.T) {
	t.Parallel()
	document, err := render(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(committed, document, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, document) {
		t.Errorf("%s is not the document of the server: run make console-types", committed)
	}
}
