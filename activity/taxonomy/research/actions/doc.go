// Package actions has a type for the payload of every action of the research taxonomy:
//
//	e := actions.SignalValidated{Passed: true, Checks: new(12)}.On(tenant, signal)
package actions

//go:generate go run ../../../../cmd/fanfare taxonomy generate --package actions --output . --resource-type system=server ../taxonomy.yaml
