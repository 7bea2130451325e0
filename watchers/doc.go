// Package watchers resolves the candidates of activities: the subscribers of the resource, its
// owner, its delegators, and the target.
//
// A resolution reflects the directory, the subscriptions and the preferences at the time of the
// statement. Which candidates become recipients is decided by the fan-out, from the contents of a
// Candidate.
package watchers
