//go:build !linux

package devstack

// memoryParent returns a directory that is kept in memory: this system has
// none in a known place.
func memoryParent() string { return "" }
