package demo

import (
	"io"
	"os"

	"github.com/fanfarehq/fanfare/internal/terminal"
)

// report shows what happens. An error is that of writing.
type report interface {
	title() error
	progress(what, detail string) error
	cast(tenants []tenant) error
	scene(r Result) error
	summary(s Summary) error
	farewell() error // says, of a demo that is not kept, that it could be
	connection(c Connection) error
	live(l Live) error
}

// newReport returns the form that the options ask for.
func newReport(o Options) report {
	if o.JSON {
		return jsonLines{o.Out}
	}
	return text{o.Out, paint(o.Color == ColorAlways || o.Color == ColorAuto && terminal.Colors(o.Out, os.Getenv))}
}

// text writes for people.
type text struct {
	out   io.Writer
	paint paint
}

func (t text) write(s string) error {
	_, err := io.WriteString(t.out, s)
	return err
}

func (t text) title() error { return t.write(renderTitle(t.paint)) }
func (t text) progress(what, detail string) error {
	return t.write(renderProgress(what, detail, t.paint))
}
func (t text) cast(tenants []tenant) error   { return t.write(renderCast(tenants, t.paint)) }
func (t text) scene(r Result) error          { return t.write(renderScene(r, t.paint)) }
func (t text) summary(s Summary) error       { return t.write(renderSummary(s, t.paint)) }
func (t text) farewell() error               { return t.write(renderFarewell(t.paint)) }
func (t text) connection(c Connection) error { return t.write(renderConnection(c, t.paint)) }
func (t text) live(l Live) error             { return t.write(renderLive(l, t.paint)) }
