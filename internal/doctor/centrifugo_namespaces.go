package doctor

import "context"

// checkNamespaces checks that each namespace of the channel formats exists and keeps a history.
func checkNamespaces(ctx context.Context, x *examination) finding {
	var found []finding
	for _, diagnostic := range x.diagnose(ctx, x.channels.Namespaces()...) {
		found = append(found, apiFailure(diagnostic))
	}
	if len(found) > 0 {
		return combine(found)
	}
	names := x.channels.Namespaces()
	return passed("the namespaces %s, %s and %s exist and keep a history", names[0], names[1], names[2])
}
