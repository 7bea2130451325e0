package tenantdata

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/google/uuid"
)

// The format of exported tenants: JSON Lines. The first line is the header. Each section has a line
// that begins it, a line for each row, and a line that ends it. The last line is the trailer.
const (
	fileFormat  = "fanfare-tenant"
	fileVersion = 1

	maxLine = 16 << 20 // bytes; the largest row of the log has few megabytes
)

// line is a line of a file: one of its fields is set.
type line struct {
	Header  *Header         `json:"header,omitempty"`
	Section *section        `json:"section,omitempty"`
	Row     json.RawMessage `json:"row,omitempty"`
	End     *sectionEnd     `json:"end,omitempty"`
	Trailer *Trailer        `json:"trailer,omitempty"`
}

// Header describes a file.
type Header struct {
	Format     string      `json:"format"`
	Version    int         `json:"version"`
	Schema     int         `json:"schema"` // the number of the last migration
	Tenant     uuid.UUID   `json:"tenant_id"`
	ExportedAt time.Time   `json:"exported_at"`
	Months     []time.Time `json:"months"` // of the activities
	Pending    bool        `json:"pending"`
	Views      []string    `json:"directory_views"` // relations of the directory that were left out
}

type section struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// sectionEnd ends a section. The hash is that of the lines of the rows, with their line ends.
type sectionEnd struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Trailer ends a file. The hash is that of all lines before.
type Trailer struct {
	Sections []sectionEnd `json:"sections"`
	SHA256   string       `json:"sha256"`
}

// Rows returns the number of rows of each section.
func (t *Trailer) Rows() map[string]int64 {
	rows := map[string]int64{}
	for _, s := range t.Sections {
		rows[s.Name] = s.Rows
	}
	return rows
}

// fileWriter writes the lines of a file.
type fileWriter struct {
	out     *bufio.Writer
	all     hash.Hash
	rows    hash.Hash // of the section
	section sectionEnd
	trailer Trailer
}

func newFileWriter(out io.Writer) *fileWriter {
	return &fileWriter{out: bufio.NewWriterSize(out, 1<<16), all: sha256.New()}
}

func (w *fileWriter) write(l line) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text) // which ends the line
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(l); err != nil {
		return err
	}
	if l.Trailer == nil {
		w.all.Write(text.Bytes())
	}
	if l.Row != nil {
		w.rows.Write(text.Bytes())
		w.section.Rows++
	}
	_, err := w.out.Write(text.Bytes())
	return err
}

func (w *fileWriter) begin(s section) error {
	w.rows, w.section = sha256.New(), sectionEnd{Name: s.Name}
	return w.write(line{Section: &s})
}

func (w *fileWriter) end() error {
	w.section.SHA256 = hex.EncodeToString(w.rows.Sum(nil))
	w.trailer.Sections = append(w.trailer.Sections, w.section)
	return w.write(line{End: &w.section})
}

// close writes the trailer.
func (w *fileWriter) close() error {
	w.trailer.SHA256 = hex.EncodeToString(w.all.Sum(nil))
	if err := w.write(line{Trailer: &w.trailer}); err != nil {
		return err
	}
	return w.out.Flush()
}

// FileError is an error in a file.
type FileError struct {
	Line int64
	Rule string
}

// Error names the line.
func (e *FileError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Rule) }

// fileReader reads the lines of a file and compares their numbers and hashes.
type fileReader struct {
	in      *bufio.Reader
	n       int64 // the number of the line
	all     hash.Hash
	rows    hash.Hash
	section *sectionEnd // being read; nil between sections
	ends    []sectionEnd
}

func newFileReader(in io.Reader) *fileReader {
	return &fileReader{in: bufio.NewReaderSize(in, 1<<16), all: sha256.New()}
}

func (r *fileReader) fail(format string, args ...any) error {
	return &FileError{r.n, fmt.Sprintf(format, args...)}
}

// header reads the first line.
func (r *fileReader) header() (*Header, error) {
	l, err := r.next()
	switch {
	case err != nil:
		return nil, err
	case l.Header == nil || l.Header.Format != fileFormat:
		return nil, r.fail("must be the header of an exported tenant")
	case l.Header.Version != fileVersion:
		return nil, r.fail("version %d of the format: must be %d", l.Header.Version, fileVersion)
	case l.Header.Tenant == uuid.Nil:
		return nil, r.fail("tenant_id is required")
	}
	return l.Header, nil
}

// next reads a line. It returns io.EOF after the trailer, and never before.
func (r *fileReader) next() (line, error) {
	text, err := r.readLine()
	if err != nil {
		return line{}, err
	}
	var l line
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return line{}, r.fail("is not a line of an exported tenant: %v", err)
	}
	if l.Trailer == nil {
		r.all.Write(text)
	}
	return l, r.account(l, text)
}

func (r *fileReader) readLine() ([]byte, error) {
	var text []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if text = append(text, part...); len(text) > maxLine {
			r.n++
			return nil, r.fail("is longer than %d bytes", maxLine)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			r.n++
			where := "between two sections"
			if r.section != nil {
				where = fmt.Sprintf("in the section %s, after %d rows", r.section.Name, r.section.Rows)
			}
			return nil, r.fail("the file is truncated %s", where)
		case err != nil:
			r.n++
			return nil, r.fail("cannot be read: %v", err)
		}
		r.n++
		return text, nil
	}
}

// account follows the sections, and compares the numbers and hashes at their ends.
func (r *fileReader) account(l line, text []byte) error {
	switch {
	case l.Section != nil:
		if r.section != nil {
			return r.fail("the section %s has no end", r.section.Name)
		}
		r.section, r.rows = &sectionEnd{Name: l.Section.Name}, sha256.New()
	case l.Row != nil:
		if r.section == nil {
			return r.fail("a row must be in a section")
		}
		r.section.Rows++
		r.rows.Write(text)
	case l.End != nil:
		if r.section == nil || r.section.Name != l.End.Name {
			return r.fail("the end of the section %s, which has not begun", l.End.Name)
		}
		r.section.SHA256 = hex.EncodeToString(r.rows.Sum(nil))
		if *r.section != *l.End {
			return r.fail("the section %s has %d rows with the SHA-256 %s: must be %d with %s",
				l.End.Name, r.section.Rows, r.section.SHA256, l.End.Rows, l.End.SHA256)
		}
		r.ends, r.section = append(r.ends, *l.End), nil
	case l.Trailer != nil:
		if sum := hex.EncodeToString(r.all.Sum(nil)); r.section != nil || sum != l.Trailer.SHA256 ||
			len(r.ends) != len(l.Trailer.Sections) {
			return r.fail("the lines before have the SHA-256 %s: must be %s", sum, l.Trailer.SHA256)
		}
	case l.Header == nil:
		return r.fail("is empty")
	}
	return nil
}
