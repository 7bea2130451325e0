// Package metrics tells Prometheus what the daemon does. Each type registers its collectors on the
// registry that it is handed, and panics if they are there already. All names begin with
// "fanfare_".
package metrics
