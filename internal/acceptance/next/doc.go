// Package next builds the programs of versions that do not exist yet: this tree's program with
// migrations after its own, which do what real ones do. They are added by an overlay, so the tree
// stays as it is.
package next
