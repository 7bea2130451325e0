//go:build ignore

// Command generate writes this package. It does what fanfare taxonomy generate does, without
// importing the packages that record built-in actions: those need not compile while the types
// change.
package main

import (
	"flag"
	"log"
	"strings"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/generate"
)

func main() {
	options := generate.Options{Package: "builtin", ResourceTypes: map[string]string{}}
	flag.Func("resource-type", "the resource type of a family, as in token=service_token", func(text string) error {
		family, resourceType, _ := strings.Cut(text, "=")
		options.ResourceTypes[family] = resourceType
		return nil
	})
	flag.Parse()
	files, err := generate.Files(taxonomy.Builtins().Actions(), options)
	if err != nil {
		log.Fatal(err)
	}
	if _, _, err := generate.Write(".", files); err != nil {
		log.Fatal(err)
	}
}
