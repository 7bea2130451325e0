// Package explain tells who is notified of an activity and why: for one principal, for a whole
// audience, and for an envelope that is not recorded.
//
// Invariants:
//
//   - Whether a principal is notified is decided by fanout.Decide, as it is at delivery, from what
//     the same resolver reads. This package only describes the decision.
//   - An answer discloses nothing that its asker may not see; see [Asker].
//   - The number of statements depends neither on the number of principals nor on that of rules.
package explain
