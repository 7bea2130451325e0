package demo

import (
	"encoding/json"
	"io"
)

// jsonLines writes for programs: an object a line, its "type" saying which.
type jsonLines struct {
	out io.Writer
}

func (j jsonLines) write(object any) error {
	encoder := json.NewEncoder(j.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(object)
}

func (j jsonLines) title() error                  { return nil }
func (j jsonLines) progress(string, string) error { return nil }
func (j jsonLines) cast([]tenant) error           { return nil }
func (j jsonLines) farewell() error               { return nil }

func (j jsonLines) scene(r Result) error {
	return j.write(struct {
		Type string `json:"type"`
		Result
	}{"scene", r})
}

func (j jsonLines) summary(s Summary) error {
	return j.write(struct {
		Type string `json:"type"`
		Summary
	}{"summary", s})
}

func (j jsonLines) connection(c Connection) error {
	return j.write(struct {
		Type string `json:"type"`
		Connection
	}{"connection", c})
}

func (j jsonLines) live(l Live) error {
	return j.write(struct {
		Type string `json:"type"`
		Live
	}{"live", l})
}
