package api

import (
	"errors"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

// ID is a UUID in a request, in the canonical form. The zero value means that the request has none:
// requests with the nil UUID are rejected.
type ID struct{ uuid.UUID }

const (
	exampleID = "0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f"
	ruleID    = "must be a UUID such as " + exampleID
)

// UnmarshalText reads the canonical form, in lower or upper case.
func (i *ID) UnmarshalText(text []byte) error {
	const canonical = 36
	id, err := uuid.ParseBytes(text)
	if err != nil || len(text) != canonical || id == uuid.Nil {
		return errors.New(ruleID)
	}
	i.UUID = id
	return nil
}

// Schema returns the schema in the OpenAPI document.
func (ID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "uuid", Examples: []any{exampleID}}
}
