// Package deploy holds the configuration that Fanfare is deployed with, as far
// as programs read it.
package deploy

import _ "embed"

// CentrifugoV5 is the configuration for Centrifugo v5, without secrets.
//
//go:embed centrifugo.v5.json
var CentrifugoV5 string
