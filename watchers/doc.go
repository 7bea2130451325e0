// Package watchers finds out who could be told of an activity: the subscribers of its resource, the
// resource's owner, and the delegators, as the directory has them at this moment.
//
// The directory is three relations that the host application owns (principals, resources,
// role_bindings); they may be views. Whether a candidate may see the activity and wants to is
// decided elsewhere, from what a Candidate carries.
package watchers
