package taxonomy

import (
	_ "embed"
	"sync"
)

// DefaultFile is the file of the default taxonomy, to be copied and changed by an application.
//
//go:embed default.yaml
var DefaultFile string

// Default returns the taxonomy of DefaultFile: the actions that most applications have. The package
// activity/actions has their Go types.
func Default() *Taxonomy { return defaults() }

var defaults = sync.OnceValue(func() *Taxonomy { return mustRead(DefaultFile) })
