package devstack

import (
	"encoding/json"
	"errors"
	"maps"
	"strconv"

	"github.com/fanfarehq/fanfare/deploy"
)

// config returns the production configuration with this server's ports, secrets, origins,
// additional namespaces and settings.
func (c *Centrifugo) config() ([]byte, error) {
	var config map[string]any
	if err := json.Unmarshal([]byte(deploy.CentrifugoV5), &config); err != nil {
		return nil, err
	}
	namespaces, err := withNamespaces(config["namespaces"], c.options.ExtraNamespaces)
	if err != nil {
		return nil, err
	}
	origins := c.options.AllowedOrigins
	if len(origins) == 0 {
		origins = []string{"http://127.0.0.1:*", "http://localhost:*"}
	}
	maps.Copy(config, map[string]any{
		"address":               "127.0.0.1",
		"port":                  strconv.Itoa(c.port),
		"internal_address":      "127.0.0.1",
		"internal_port":         strconv.Itoa(c.apiPort),
		"api_key":               c.apiKey,
		"token_hmac_secret_key": c.tokenSecret,
		"allowed_origins":       origins,
		"namespaces":            namespaces,
	})
	maps.Copy(config, c.options.Settings)
	return json.MarshalIndent(config, "", "  ")
}

// withNamespaces adds copies of the namespace "resource" with other names.
func withNamespaces(configured any, names []string) ([]any, error) {
	namespaces, ok := configured.([]any)
	if !ok {
		return nil, errors.New("the configuration has no list of namespaces")
	}
	var model map[string]any
	for _, each := range namespaces {
		if namespace, ok := each.(map[string]any); ok && namespace["name"] == "resource" {
			model = namespace
		}
	}
	if model == nil {
		return nil, errors.New("the configuration has no namespace \"resource\"")
	}
	for _, name := range names {
		namespace := maps.Clone(model)
		namespace["name"] = name
		namespaces = append(namespaces, namespace)
	}
	return namespaces, nil
}
