// Package builtin has a type for the payload of every action that Fanfare itself records
// (taxonomy.Builtins). Consumers of the log decode these activities with Decode.
package builtin

//go:generate go run generate.go --resource-type activity=redaction --resource-type notification=principal --resource-type outbox=tenant --resource-type preferences=tenant --resource-type retention=tenant --resource-type token=service_token
