// Package directory reads the directory, which the host application owns: the tree of resources,
// the principals, and the role bindings. It decides who may see an activity.
//
// The three relations (fanfare.principals, fanfare.resources, fanfare.role_bindings) may be views.
// Every answer reflects the directory at the time of the statement; the package caches nothing.
package directory
