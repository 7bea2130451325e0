// Package deploy contains the configuration of Centrifugo for programs that run it.
package deploy

import (
	"embed"
	"fmt"
	"strings"
)

// CentrifugoV5 is the configuration for Centrifugo v5, without secrets.
//
//go:embed centrifugo.v5.json
var CentrifugoV5 string

// CentrifugoV6 is the configuration for Centrifugo v6, without secrets. It is the same as
// CentrifugoV5.
//
//go:embed centrifugo.v6.json
var CentrifugoV6 string

//go:embed centrifugo/engines/*.env
var engines embed.FS

// CentrifugoEngine returns the environment that makes nodes of a major version of Centrifugo share
// their channels by an engine: redis, redis-sharded, redis-cluster or redis-sentinel. values
// replaces values of the file: its keys are ends of the variables' names, such as "_PASSWORD".
func CentrifugoEngine(name string, major int, values map[string]string) ([]string, error) {
	text, err := engines.ReadFile(fmt.Sprintf("centrifugo/engines/%s.v%d.env", name, major))
	if err != nil {
		return nil, fmt.Errorf("no engine %q for Centrifugo v%d", name, major)
	}
	var environment []string
	for line := range strings.Lines(string(text)) {
		variable, value, isVariable := strings.Cut(strings.TrimSpace(line), "=")
		if !isVariable || strings.HasPrefix(variable, "#") {
			continue
		}
		value = strings.Trim(value, `"`)
		for end, replacement := range values {
			if strings.HasSuffix(variable, end) {
				value = replacement
			}
		}
		environment = append(environment, variable+"="+value)
	}
	return environment, nil
}
