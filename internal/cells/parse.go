package cells

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"github.com/fanfarehq/fanfare/internal/database"
)

// maxFileBytes is the maximum size of a file: some 100,000 listed tenants.
const maxFileBytes = 8 << 20

// ReadFile returns the content of a file, as os.ReadFile does.
type ReadFile func(name string) ([]byte, error)

// Read reads the file of the cells at a path, and the files that it names, whose paths are relative
// to its directory. If it is invalid, the error is an *[InvalidError] with every violation.
func Read(path string, read ReadFile) (*File, error) {
	content, err := read(path)
	if err != nil {
		return nil, err
	}
	return Parse(content, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		return read(name)
	})
}

// Parse parses the content of a file. It reads the files that the content names with read. If the
// content is invalid, the error is an *[InvalidError] with every violation.
func Parse(content []byte, read ReadFile) (*File, error) {
	p := &parser{read: read}
	if document := p.open(content); document != nil {
		p.document(document)
	}
	p.checkNames()
	p.checkDatabases()
	p.checkTenants()
	p.checkSlots()
	if err := p.found.err(); err != nil {
		return nil, err
	}
	cells := make([]*Cell, len(p.cells))
	for i, c := range p.cells {
		cells[i] = c.cell
	}
	return newFile(cells), nil
}

// parser reads the nodes of a file and collects violations.
type parser struct {
	read  ReadFile
	found violations
	cells []*parsedCell
	cell  string // the name of the cell that is read
}

// parsedCell is a cell with the lines of its parts.
type parsedCell struct {
	cell *Cell
	line int

	databases   []placed // the primary and the standbys
	tenantLines []int
	slotLines   []int
}

// placed is a database with its place in the file.
type placed struct {
	url, field string
	line       int
}

// refuse adds a violation. A key that is none and a value that may be a misplaced URL are not
// shown.
func (p *parser) refuse(line int, field, value, rule string) {
	if field != "" && !keyRule.MatchString(field) {
		field = "a key"
	}
	if mayHoldPassword(value) {
		value = redacted
	}
	p.found = append(p.found, Violation{Line: line, Cell: p.cell, Field: field, Value: shortened(value), Rule: rule})
}

const redacted = "[redacted]"

// keyRule matches what may be a misspelled key.
var keyRule = regexp.MustCompile(`^[A-Za-z_-]{1,40}$`)

// mayHoldPassword reports whether a text may be a connection string, or a part of one.
func mayHoldPassword(text string) bool {
	return strings.ContainsAny(text, "@=?") || strings.Contains(text, "://")
}

// document reads the mapping of the file.
func (p *parser) document(document *yaml.Node) {
	pairs := p.pairs(document, "")
	given := false
	for _, each := range pairs {
		if each.key != "cells" {
			p.refuse(each.line, each.key, "", "is not a key of the file; its key is cells")
			continue
		}
		given = true
		list, ok := p.sequence(each.value, "cells")
		for _, node := range list {
			p.readCell(node)
		}
		if ok && len(list) == 0 {
			p.refuse(each.line, "cells", "", "must have at least one cell")
		}
	}
	if !given && pairs != nil {
		p.refuse(document.Line, "cells", "", "is required")
	}
}

var nameRule = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// IsName reports whether a text may be the name of a cell.
func IsName(text string) bool { return nameRule.MatchString(text) }

// readCell reads one cell.
func (p *parser) readCell(node *yaml.Node) {
	defer func() { p.cell = "" }()
	pairs := p.pairs(node, "cells")
	if pairs == nil {
		return
	}
	c := &parsedCell{cell: &Cell{}, line: node.Line}
	for _, each := range pairs {
		if each.key == "name" {
			p.name(c, each)
		}
	}
	if c.cell.Name == "" && !has(pairs, "name") {
		p.refuse(node.Line, "name", "", "is required")
	}
	for _, each := range pairs {
		p.key(c, each)
	}
	url, file := has(pairs, "database_url"), has(pairs, "database_url_file")
	switch {
	case url && file:
		p.refuse(node.Line, "database_url", "", "must not be set together with database_url_file")
	case !url && !file:
		p.refuse(node.Line, "database_url", "", "is required, here or by database_url_file")
	}
	p.cells = append(p.cells, c)
}

func (p *parser) name(c *parsedCell, each pair) {
	name, ok := p.text(each.value, each.key)
	switch {
	case !ok:
	case !nameRule.MatchString(name):
		p.refuse(each.line, each.key, name, "must be 1 to 32 characters of a-z, 0-9 and -")
	default:
		c.cell.Name, p.cell = name, name
	}
}

// key reads one key of a cell.
func (p *parser) key(c *parsedCell, each pair) {
	switch each.key {
	case "name":
	case "database_url":
		if url, ok := p.secret(each.value, each.key); ok {
			p.database(c, url, each.key, each.line, "")
		}
	case "database_url_file":
		p.databaseFile(c, each)
	case "read_database_urls":
		list, _ := p.sequence(each.value, each.key)
		for _, node := range list {
			if url, ok := p.secret(node, each.key); ok {
				p.standby(c, url, node.Line)
			}
		}
	case "tenants":
		list, _ := p.sequence(each.value, each.key)
		for _, node := range list {
			p.tenant(c, node)
		}
	case "slots":
		p.slots(c, each)
	default:
		p.refuse(each.line, each.key, "", "is not a key of a cell; the keys are name, database_url, "+
			"database_url_file, read_database_urls, tenants and slots")
	}
}

// database adds the database of a cell. prefix begins the rule.
func (p *parser) database(c *parsedCell, url, field string, line int, prefix string) {
	if rule := database.URLRule(url); rule != "" {
		p.refuse(line, field, "", prefix+rule)
		return
	}
	c.cell.DatabaseURL = url
	c.databases = append(c.databases, placed{url, field, line})
}

// databaseFile reads the file that contains the URL of the database.
func (p *parser) databaseFile(c *parsedCell, each pair) {
	name, ok := p.text(each.value, each.key)
	if !ok {
		return
	}
	if mayHoldPassword(name) {
		p.refuse(each.line, each.key, redacted, "must be the path of a file, without @, = and ?")
		return
	}
	content, err := p.read(name)
	if err != nil {
		p.refuse(each.line, each.key, name, fmt.Sprintf("must be a readable file: %v", err))
		return
	}
	p.database(c, strings.TrimSpace(string(content)), each.key, each.line, "its content ")
}

func (p *parser) standby(c *parsedCell, url string, line int) {
	if rule := database.ForeignRule(url); rule != "" {
		p.refuse(line, "read_database_urls", "", rule)
		return
	}
	if !database.IsURL(url) {
		p.refuse(line, "read_database_urls", "", "must be URLs such as postgres://user:password@host:5432/database, "+
			"with special characters of the passwords percent-encoded")
		return
	}
	c.cell.ReadDatabaseURLs = append(c.cell.ReadDatabaseURLs, url)
	c.databases = append(c.databases, placed{url, "read_database_urls", line})
}

func (p *parser) tenant(c *parsedCell, node *yaml.Node) {
	text, ok := p.text(node, "tenants")
	if !ok {
		return
	}
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil || len(text) != len(id.String()) {
		p.refuse(node.Line, "tenants", text, "must be UUIDs, such as 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f")
		return
	}
	c.cell.Tenants, c.tenantLines = append(c.cell.Tenants, id), append(c.tenantLines, node.Line)
}

// slots reads a range, or a list of ranges.
func (p *parser) slots(c *parsedCell, each pair) {
	list := []*yaml.Node{each.value}
	if each.value.Kind == yaml.SequenceNode {
		list = each.value.Content
	}
	for _, node := range list {
		if node.Kind != yaml.ScalarNode {
			p.refuse(node.Line, "slots", describe(node), "must be a range of slots such as 0-32767, or a list of them")
			continue
		}
		r, rule := parseRange(node.Value)
		if rule != "" {
			p.refuse(node.Line, "slots", node.Value, rule)
			continue
		}
		c.cell.Slots, c.slotLines = append(c.cell.Slots, r), append(c.slotLines, node.Line)
	}
}
