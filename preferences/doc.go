// Package preferences decides what a person wants to be told of.
//
// A [Preference] is what one person asked for, a [Pattern] is one line of it,
// and a [Filter] answers, for any number of people, whether an action is among
// what they asked for.
//
// What always holds:
//
//   - A preference says what someone wants to hear, never what they may see:
//     permission is decided elsewhere, and before.
//   - A pattern accepts exactly what fnmatch.fnmatchcase of Python 3.11
//     accepts, whatever the pattern and the action.
//   - No pattern, however malicious, takes more than O(len(pattern)·len(action))
//     steps.
//   - Nothing that is stored stops a delivery: an unknown mode counts as
//     [ModeMutations], and a pattern that cannot be matches nothing.
//   - Deciding reads and writes nothing outside itself; the same question always
//     has the same answer. Only [Get] and [Put] go to the database.
package preferences
