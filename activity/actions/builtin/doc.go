// Package builtin has a type for the payload of every action that Fanfare itself records
// (taxonomy.Builtins). Consumers of the log decode these activities with Decode.
package builtin

//go:generate go run ../../../cmd/fanfare taxonomy generate --package builtin --output . --resource-type activity=redaction --resource-type retention=tenant --resource-type token=service_token ../../taxonomy/builtin.yaml
