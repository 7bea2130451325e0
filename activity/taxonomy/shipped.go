package taxonomy

import (
	_ "embed"
	"strings"
	"sync"
)

// ShippedFile is the file of the taxonomy that comes with Fanfare, to begin one's own with.
//
//go:embed default.yaml
var ShippedFile string

// Shipped returns the taxonomy that comes with Fanfare.
func Shipped() *Taxonomy { return shipped() }

var shipped = sync.OnceValue(func() *Taxonomy {
	t, err := read(strings.NewReader(ShippedFile), nil)
	if err != nil {
		panic("taxonomy: the shipped file: " + err.Error()) // a test reads it
	}
	return t
})
