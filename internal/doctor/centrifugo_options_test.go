package doctor

import (
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/deploy"
)

// The remedies name the options of both versions as the configurations in deploy/ do.
func TestOptionsOfBothVersions(t *testing.T) {
	t.Parallel()
	for _, option := range []string{
		apiKey, grpcEnabled, grpcKey, secretKey, subscriptionKey, insecureKey, unverifiedKey, anonymousKey, personalKey,
		personalNameKey, refreshKey, metaKey, delayKey, presenceKey, originsKey, namespacesKey,
	} {
		name, v5, _ := strings.Cut(strings.TrimSuffix(option, ")"), " (v5: ")
		if want, _ := deploy.CentrifugoV5Name(name); v5 != want {
			t.Errorf("%s: got %q for v5, want %q", name, v5, want)
		}
	}
}
