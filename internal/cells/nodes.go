package cells

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`line (\d+): `)

// open returns the only document of a file, or nil if it has no valid one. An error of the YAML
// library may quote a part of the file, and with it a password, so that only its line is reported.
func (p *parser) open(content []byte) *yaml.Node {
	if len(content) > maxFileBytes {
		p.refuse(0, "", "", fmt.Sprintf("the file must be at most %d bytes", maxFileBytes))
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF), err == nil && len(document.Content) == 0:
		p.refuse(1, "", "", "the file is empty")
		return nil
	case err != nil:
		p.malformed(err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		p.refuse(second.Line, "", "", "the file must contain one document")
	case !errors.Is(err, io.EOF):
		p.malformed(err)
	}
	return document.Content[0]
}

func (p *parser) malformed(err error) {
	line := 0
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		line, _ = strconv.Atoi(found[1])
	}
	p.refuse(line, "", "", "is not YAML; quote a text with special characters")
}

// pair is a key of a mapping and its value.
type pair struct {
	key   string
	line  int
	value *yaml.Node
}

func has(pairs []pair, key string) bool {
	return slices.ContainsFunc(pairs, func(p pair) bool { return p.key == key })
}

// pairs returns the pairs of a mapping, and reports duplicate keys. It returns nil if the node is
// no mapping.
func (p *parser) pairs(node *yaml.Node, field string) []pair {
	if node.Kind != yaml.MappingNode {
		p.refuse(node.Line, field, describe(node), "must be a mapping of keys to values")
		return nil
	}
	found := make([]pair, 0, len(node.Content)/2)
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		switch first, again := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			p.refuse(key.Line, field, describe(key), "must be a mapping whose keys are texts")
		case again:
			p.refuse(key.Line, key.Value, "", fmt.Sprintf("is a duplicate of line %d", first))
		default:
			seen[key.Value] = key.Line
			found = append(found, pair{key: shortened(key.Value), line: key.Line, value: node.Content[i+1]})
		}
	}
	return found
}

// sequence returns the items of a list.
func (p *parser) sequence(node *yaml.Node, field string) (items []*yaml.Node, ok bool) {
	if node.Kind != yaml.SequenceNode {
		p.refuse(node.Line, field, describe(node), "must be a list")
		return nil, false
	}
	return node.Content, true
}

// text reads a text that is not empty. A name such as 7 and an id of digits are texts without
// quotes, too.
func (p *parser) text(node *yaml.Node, field string) (text string, ok bool) {
	if node.Kind != yaml.ScalarNode || node.Value == "" {
		p.refuse(node.Line, field, describe(node), "must be a text")
		return "", false
	}
	return node.Value, true
}

// secret reads a text that may contain a password. No part of the node is shown.
func (p *parser) secret(node *yaml.Node, field string) (text string, ok bool) {
	if node.Kind != yaml.ScalarNode || strings.TrimSpace(node.Value) == "" {
		p.refuse(node.Line, field, "", "must be a text, the URL of a database")
		return "", false
	}
	return node.Value, true
}

// describe returns a short text for a value of the wrong type. It does not quote it, because any
// part of a file with a misplaced key may be a password.
func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if node.Value == "" {
		return "an empty value"
	}
	return "a scalar"
}
