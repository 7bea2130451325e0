package identity

import (
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
)

// id reads a UUID that was given under a name.
func (m *mistakes) id(name, text string) uuid.UUID {
	id, err := parseID(text)
	if err != nil {
		m.add("%s %q: must be a UUID", name, text)
	}
	return id
}

func shown(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}

func shownScopes(s Scopes) string {
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, ",")
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
