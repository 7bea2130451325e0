package deploy_test

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/fanfarehq/fanfare/deploy"
	"github.com/google/go-cmp/cmp"
)

func TestCentrifugoConfigurationsAgree(t *testing.T) {
	v5 := parse(t, []byte(deploy.CentrifugoV5))
	port, err := strconv.ParseFloat(v5["port"].(string), 64)
	if err != nil {
		t.Fatal(err)
	}
	v5["port"] = port // v6 requires a number
	content, err := os.ReadFile("centrifugo.v6.json")
	if err != nil {
		t.Fatal(err)
	}
	v6 := map[string]any{}
	flatten(t, parse(t, content), "", v6)
	if diff := cmp.Diff(v5, v6); diff != "" {
		t.Errorf("v6 differs from v5 (-v5 +v6):\n%s", diff)
	}
}

// TestCentrifugoNamespacesAreClosed verifies that no option permits subscriptions without a token.
func TestCentrifugoNamespacesAreClosed(t *testing.T) {
	allowed := map[string]bool{"name": true, "history_size": true, "history_ttl": true, "force_recovery": true}
	for _, namespace := range parse(t, []byte(deploy.CentrifugoV5))["namespaces"].([]any) {
		options := namespace.(map[string]any)
		if options["force_recovery"] != true {
			t.Errorf("namespace %v: recovery is off", options["name"])
		}
		for option := range options {
			if !allowed[option] {
				t.Errorf("namespace %v: option %s is not known to be safe", options["name"], option)
			}
		}
	}
}

func parse(t testing.TB, content []byte) (parsed map[string]any) {
	t.Helper()
	if err := json.Unmarshal(content, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// flatten adds each option of v6 to flat with its name in v5.
func flatten(t testing.TB, nested map[string]any, prefix string, flat map[string]any) {
	t.Helper()
	for name, value := range nested {
		name = prefix + name
		if section, ok := value.(map[string]any); ok {
			flatten(t, section, name+".", flat)
			continue
		}
		v5, ok := v5Names()[name]
		if !ok {
			t.Errorf("v6 option %s: unknown name in v5", name)
			continue
		}
		flat[v5] = value
	}
}

// v5Names returns Centrifugo v5's name of each option that v6 nests.
func v5Names() map[string]string {
	return map[string]string{
		"http_server.port":                                  "port",
		"http_server.internal_port":                         "internal_port",
		"health.enabled":                                    "health",
		"prometheus.enabled":                                "prometheus",
		"usage_stats.disabled":                              "usage_stats_disable",
		"client.allowed_origins":                            "allowed_origins",
		"client.subscribe_to_user_personal_channel.enabled": "user_subscribe_to_personal",
		"client.subscribe_to_user_personal_channel.personal_channel_namespace": "user_personal_channel_namespace",
		"channel.namespaces": "namespaces",
	}
}
