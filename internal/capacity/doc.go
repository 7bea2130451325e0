// Package capacity computes what an installation needs for a load: cores, connections, disks, nodes
// of Centrifugo and Redis, and the limit that is reached first.
//
// It is arithmetic, with no I/O. The costs of an activity, a recipient, a notification, a
// connection and a read are measured (see Costs), and the needs are sums of costs times rates:
// twice the load needs twice the CPU time. What a plan cannot know is how one machine differs from
// another, and what a queue of requests does to latency near the limit; both are why a plan uses
// only a share of each core.
//
// The needs never decrease when the load increases.
package capacity
