//go:build ignore

// Command generate writes this package. It does what fanfare taxonomy generate does, without
// importing the packages that record built-in actions: those need not compile while the types
// change.
package main

import (
	"flag"
	"log"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/generate"
)

// resourceTypes has the resource types of the families whose resources are not named as they are.
var resourceTypes = map[string]string{
	"activity":     "redaction",
	"notification": "principal",
	"outbox":       "tenant",
	"preferences":  "tenant",
	"retention":    "tenant",
	"tenant":       "tenant",
	"token":        "service_token",
}

func main() {
	output := flag.String("output", ".", "directory of the files")
	flag.Parse()
	files, err := generate.Files(taxonomy.Builtins().Actions(), generate.Options{
		Package: "builtin", ResourceTypes: resourceTypes,
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, _, err := generate.Write(*output, files); err != nil {
		log.Fatal(err)
	}
}
