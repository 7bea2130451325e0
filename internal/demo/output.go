package demo

import (
	"encoding/json"
	"io"
	"os"

	"github.com/fanfarehq/fanfare/internal/terminal"
)

// shown is something that the demo shows as text.
type shown interface{ text(p paint) string }

// object is something that the demo also shows as a JSON object.
type object interface{ object() any }

// output writes text for people, or JSON.
type output struct {
	out   io.Writer
	json  bool
	paint paint
}

func newOutput(o Options) output {
	colored := o.Color == ColorAlways || o.Color == ColorAuto && terminal.Colors(o.Out, os.Getenv)
	return output{o.Out, o.JSON, paint(colored)}
}

func (o output) write(s shown) error {
	if !o.json {
		_, err := io.WriteString(o.out, s.text(o.paint))
		return err
	}
	if s, ok := s.(object); ok {
		encoder := json.NewEncoder(o.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(s.object())
	}
	return nil
}

func (r Result) object() any     { r.Type = "scene"; return r }
func (s Summary) object() any    { s.Type = "summary"; return s }
func (c Connection) object() any { c.Type = "connection"; return c }
func (l Live) object() any       { l.Type = "live"; return l }
