// Package directory reads the directory, which the host application owns: the tree of resources,
// the principals, the role bindings, and the memberships of groups. It decides who may see an
// activity. A role that a group holds counts for its members.
//
// The four relations (fanfare.principals, fanfare.resources, fanfare.role_bindings,
// fanfare.memberships) may be views, so that only functions of a role without other rights read
// them. Every answer reflects the directory at the time of the statement; the package caches
// nothing.
package directory
