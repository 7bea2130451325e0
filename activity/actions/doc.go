// Package actions has a type for the payload of every action of the taxonomy that comes with Fanfare:
//
//	e := actions.SignalValidated{Passed: true, Checks: new(12)}.On(tenant, signal)
//
// An envelope made so leaves severity, visibility and category to the taxonomy, and the actor to the context, where
// activity.WithActor puts one. What is optional in a payload is left out where it is zero; numbers and booleans, whose zeros say
// something, are behind pointers, which Go's new(12) makes.
//
// An application with a taxonomy of its own generates its own package (fanfare taxonomy generate).
package actions

//go:generate go run ../../cmd/fanfare taxonomy generate --package actions --output . --resource-type auth=user --resource-type billing=account --resource-type system=server --resource-type token=service_token --resource-type retention=tenant --resource-type activity=redaction ../taxonomy/default.yaml
