// Package metrics exports the daemon's metrics to Prometheus. Each constructor registers its
// collectors on the registry that it is given, and panics if they are already registered. All names
// begin with "fanfare_" and follow https://prometheus.io/docs/practices/naming/.
package metrics
