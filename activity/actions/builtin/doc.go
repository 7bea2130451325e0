// Package builtin has a type for the payload of every action that Fanfare itself records
// (taxonomy.Builtins). Consumers of the log decode these activities with Decode.
package builtin

//go:generate go run generate.go
