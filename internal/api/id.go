package api

import (
	"errors"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

// ID is a UUID in a request, in the form that this API writes. The zero value is one that was not
// given: the nil UUID is nobody's and nothing's id, and is not taken.
type ID struct{ uuid.UUID }

// UnmarshalText reads the canonical form, in lower or upper case.
func (i *ID) UnmarshalText(text []byte) error {
	const canonical = 36
	id, err := uuid.ParseBytes(text)
	if err != nil || len(text) != canonical || id == uuid.Nil {
		return errors.New("must be a UUID such as 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f")
	}
	i.UUID = id
	return nil
}

// Schema is for the OpenAPI document.
func (ID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "uuid", Examples: []any{"0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f"}}
}
