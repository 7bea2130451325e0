package doctor

import "context"

// namespaces checks that each namespace of the channel formats is there and keeps a history.
func namespaces(ctx context.Context, x *examination) verdict {
	var found []verdict
	for _, problem := range x.problems(ctx, x.channels.Namespaces()...) {
		found = append(found, apiTrouble(problem))
	}
	if len(found) > 0 {
		return worst(found)
	}
	names := x.channels.Namespaces()
	return fine("%s, %s and %s are there and keep a history", names[0], names[1], names[2])
}
