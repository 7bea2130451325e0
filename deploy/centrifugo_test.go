package deploy_test

import (
	"encoding/json"
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
	v6 := map[string]any{}
	flatten(t, parse(t, []byte(deploy.CentrifugoV6)), "", v6)
	for _, namespace := range v6["namespaces"].([]any) {
		options := namespace.(map[string]any)
		for name, value := range options {
			delete(options, name)
			options[deploy.CentrifugoV5NamespaceName(name)] = value
		}
	}
	if diff := cmp.Diff(v5, v6); diff != "" {
		t.Errorf("v6 differs from v5 (-v5 +v6):\n%s", diff)
	}
}

// TestCentrifugoNamespacesAreClosed verifies that no option permits subscriptions without a token.
func TestCentrifugoNamespacesAreClosed(t *testing.T) {
	allowed := map[string]bool{
		"name": true, "history_size": true, "history_ttl": true, "force_recovery": true, "proxy_sub_refresh": true,
	}
	for _, namespace := range parse(t, []byte(deploy.CentrifugoV5))["namespaces"].([]any) {
		options := namespace.(map[string]any)
		if options["force_recovery"] != true {
			t.Errorf("namespace %v: recovery is off", options["name"])
		}
		if options["proxy_sub_refresh"] != true {
			t.Errorf("namespace %v: a client prolongs its subscriptions itself", options["name"])
		}
		for option := range options {
			if !allowed[option] {
				t.Errorf("namespace %v: got the option %s, want only %v", options["name"], option, allowed)
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
		v5, ok := deploy.CentrifugoV5Name(name)
		if !ok {
			t.Errorf("v6 option %s: unknown name in v5", name)
			continue
		}
		flat[v5] = value
	}
}
