// Package preferences decides which actions a principal is notified of.
//
// A [Preference] is what holds for one principal; [Effective] composes it of the fields that the
// principal and its tenant have set. A [Pattern] is one of its patterns. A [Filter] reports whether
// a preference includes an action; a [Batch] does so for many principals. A [Level] is how
// much a principal wants to be notified about one resource.
//
// Invariants:
//
//   - A preference does not affect permission, which is decided before.
//   - A pattern matches exactly the actions that fnmatch.fnmatchcase of Python 3.11 matches.
//   - Matching takes at most O(len(pattern)·len(action)) steps for every pattern, and in a Batch
//     with many patterns O(len(pattern)).
//   - No stored preference prevents a delivery: an unknown mode is [ModeMutations], and an invalid
//     pattern matches no action.
//   - A decision depends on its arguments and on the configuration of the Filter alone. Only [Get]
//     and [Put] access the database.
package preferences
