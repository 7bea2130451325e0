// Package deploy contains the configuration of Centrifugo for programs that run it.
package deploy

import _ "embed"

// CentrifugoV5 is the configuration for Centrifugo v5, without secrets.
//
//go:embed centrifugo.v5.json
var CentrifugoV5 string

// CentrifugoV6 is the configuration for Centrifugo v6, without secrets. It is the same as
// CentrifugoV5.
//
//go:embed centrifugo.v6.json
var CentrifugoV6 string
