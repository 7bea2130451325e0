// Package config reads and validates the settings of Fanfare's commands.
//
// Each setting is described once, by a [Setting]: its flag, its environment variable, its default,
// its help and its place in a [Config] come from there. A flag takes precedence over the
// environment variable, which takes precedence over the default.
//
// Invariants:
//   - Validation reports every invalid setting at once.
//   - No secret is part of a description, of an error or of a flag that only the environment may
//     set.
package config
