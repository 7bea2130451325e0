// Package actions has a type for the payload of every action of the default taxonomy:
//
//	e := actions.CommentCreated{CommentID: comment, Body: text}.On(tenant, document)
//
// Such an envelope leaves its severity, visibility and category to the taxonomy, and its actor to
// the context (activity.WithActor). An optional field of a payload is omitted if it is zero;
// optional numbers and booleans, whose zero values are meaningful, are pointers: new(12).
//
// An application with a taxonomy of its own generates its own package (fanfare taxonomy generate).
package actions

//go:generate go run ../../cmd/fanfare taxonomy generate --package actions --output . --resource-type auth=user --resource-type billing=account --resource-type file=folder --resource-type member=team ../taxonomy/default.yaml
