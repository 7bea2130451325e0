package devstack

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/fanfarehq/fanfare/deploy"
)

// config returns the production configuration with this server's ports, secrets, origins,
// additional namespaces and settings.
func (c *Centrifugo) config() ([]byte, error) {
	config, err := newCentrifugoConfig(c.version.Major)
	if err != nil {
		return nil, err
	}
	namespaces, err := config.get("channel.namespaces")
	if err != nil {
		return nil, err
	}
	if namespaces, err = withNamespaces(namespaces, c.options.ExtraNamespaces); err != nil {
		return nil, err
	}
	origins := c.options.AllowedOrigins
	if len(origins) == 0 {
		origins = []string{"http://127.0.0.1:*", "http://localhost:*"}
	}
	options := map[string]any{
		"http_server.address":          "127.0.0.1",
		"http_server.port":             c.port,
		"http_server.internal_address": "127.0.0.1",
		"http_server.internal_port":    strconv.Itoa(c.apiPort),
		"http_api.key":                 c.apiKey,
		"grpc_api.port":                c.grpcPort,
		"grpc_api.key":                 c.apiKey,
		"client.token.hmac_secret_key": c.tokenSecret,
		"client.allowed_origins":       origins,
		"channel.namespaces":           namespaces,

		"channel.proxy.sub_refresh.endpoint": c.options.RefreshURL,
	}
	maps.Copy(options, c.options.Settings)
	for option, value := range options {
		if err := config.set(option, value); err != nil {
			return nil, err
		}
	}
	return json.MarshalIndent(config.root, "", "  ")
}

// centrifugoConfig is a configuration for a major version. Its methods use the names of v6, with
// dots between the sections.
type centrifugoConfig struct {
	major int
	root  map[string]any
}

// newCentrifugoConfig returns the production configuration for a major version.
func newCentrifugoConfig(major int) (centrifugoConfig, error) {
	content, ok := map[int]string{5: deploy.CentrifugoV5, 6: deploy.CentrifugoV6}[major]
	if !ok {
		return centrifugoConfig{}, fmt.Errorf("no configuration for Centrifugo v%d", major)
	}
	c := centrifugoConfig{major: major}
	err := json.Unmarshal([]byte(content), &c.root)
	return c, err
}

func (c centrifugoConfig) set(option string, value any) error {
	section, name, err := c.locate(option)
	if err != nil {
		return err
	}
	if namespaces, ok := value.([]any); ok && c.major == 5 && option == "channel.namespaces" {
		value = namespacesOfV5(namespaces)
	}
	section[name] = value
	return nil
}

// namespacesOfV5 returns namespaces with the names that their options have in v5.
func namespacesOfV5(namespaces []any) []any {
	renamed := make([]any, len(namespaces))
	for i, each := range namespaces {
		options, _ := each.(map[string]any)
		named := make(map[string]any, len(options))
		for name, value := range options {
			named[deploy.CentrifugoV5NamespaceName(name)] = value
		}
		renamed[i] = named
	}
	return renamed
}

func (c centrifugoConfig) get(option string) (any, error) {
	section, name, err := c.locate(option)
	return section[name], err
}

// locate returns the section that contains an option, and the option's name in the section. It
// creates sections that do not exist. In v5 the only section is the root.
func (c centrifugoConfig) locate(option string) (section map[string]any, name string, err error) {
	if c.major == 5 {
		name, ok := deploy.CentrifugoV5Name(option)
		if !ok {
			return nil, "", fmt.Errorf("the name of %s in Centrifugo v5 is unknown", option)
		}
		return c.root, name, nil
	}
	section, name = c.root, option
	for {
		outer, inner, nested := strings.Cut(name, ".")
		if !nested {
			return section, name, nil
		}
		next, ok := section[outer].(map[string]any)
		if !ok {
			next = map[string]any{}
			section[outer] = next
		}
		section, name = next, inner
	}
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
