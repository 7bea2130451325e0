package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// schemaChecker checks values against schemas of the OpenAPI document and collects violations. It
// supports the keywords that this API's requests use.
//
// Values are those of a json.Decoder with UseNumber. The zero schemaChecker has no registry and can
// check schemas without references.
type schemaChecker struct {
	registry   huma.Registry
	violations []Violation
}

func (c *schemaChecker) violation(field, rule string, value any) {
	c.violations = append(c.violations, Violation{Field: field, Rule: rule, Value: value})
}

// check checks the value of a field; "" is the whole body.
func (c *schemaChecker) check(s *huma.Schema, field string, value any) {
	if len(s.AnyOf) > 0 { // a schema or null, see acceptNull
		if value == nil {
			return
		}
		s = s.AnyOf[0]
	}
	for s.Ref != "" {
		s = c.registry.SchemaFromRef(s.Ref)
	}
	if value == nil && s.Nullable {
		return
	}
	switch s.Type {
	case huma.TypeObject:
		c.checkObject(s, field, value)
	case huma.TypeArray:
		c.checkArray(s, field, value)
	case huma.TypeString:
		c.checkString(s, field, value)
	case huma.TypeInteger:
		c.checkInteger(s, field, value)
	case huma.TypeBoolean:
		if _, ok := value.(bool); !ok {
			c.violation(named(field), "must be true or false", value)
		}
	default:
		panic(fmt.Sprintf("api: schemas of type %q are not checked", s.Type))
	}
}

func (c *schemaChecker) checkObject(s *huma.Schema, field string, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		c.violation(named(field), "must be an object", value)
		return
	}
	path := func(name string) string { return strings.TrimPrefix(field+"."+name, ".") }
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		member, given := object[name]
		required := slices.Contains(s.Required, name)
		switch {
		case !given && required:
			c.violation(path(name), "is required", nil)
		case given && (member != nil || required):
			c.check(s.Properties[name], path(name), member)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if _, known := s.Properties[name]; !known {
			c.violation(path(name), "is not a field of this body", nil)
		}
	}
}

func (c *schemaChecker) checkArray(s *huma.Schema, field string, value any) {
	array, ok := value.([]any)
	if !ok {
		c.violation(named(field), "must be an array", value)
		return
	}
	if s.MinItems != nil && len(array) < *s.MinItems {
		c.violation(named(field), "must have at least "+counted(*s.MinItems, "item"), nil)
	}
	if s.MaxItems != nil && len(array) > *s.MaxItems {
		c.violation(named(field), "must have at most "+counted(*s.MaxItems, "item"), nil)
		return
	}
	for i, item := range array {
		c.check(s.Items, field+"["+strconv.Itoa(i)+"]", item)
	}
}

func (c *schemaChecker) checkString(s *huma.Schema, field string, value any) {
	text, ok := value.(string)
	if !ok {
		c.violation(named(field), "must be a string", value)
		return
	}
	length := utf8.RuneCountInString(text)
	switch {
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, value):
		c.violation(named(field), "must be one of "+listed(s.Enum), value)
	case s.MinLength != nil && length < *s.MinLength:
		c.violation(named(field), "must have at least "+counted(*s.MinLength, "character"), value)
	case s.MaxLength != nil && length > *s.MaxLength:
		c.violation(named(field), "must have at most "+counted(*s.MaxLength, "character"), value)
	case s.Format == "uuid":
		if err := new(ID).UnmarshalText([]byte(text)); err != nil {
			c.violation(named(field), ruleID, value)
		}
	case s.Format == "date-time":
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
			c.violation(named(field), timeRule(text), value)
		}
	}
}

// timeRule returns the rule of a time that a text violates. In a query, "+" stands for a space.
func timeRule(text string) string {
	rule := "must be a date and time with a zone, such as 2026-01-02T15:04:05Z"
	if _, err := time.Parse(time.RFC3339Nano, strings.Replace(text, " ", "+", 1)); err == nil {
		rule += "; a + in a URL must be written as %2B"
	}
	return rule
}

func (c *schemaChecker) checkInteger(s *huma.Schema, field string, value any) {
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	if s.Minimum != nil {
		least = int64(*s.Minimum)
	}
	if s.Maximum != nil {
		most = int64(*s.Maximum)
	}
	number, ok := value.(json.Number)
	n, err := strconv.ParseInt(string(number), 10, 64)
	switch {
	case !ok || err != nil && !isInteger(string(number)):
		c.violation(named(field), "must be an integer", value)
	case err != nil || n < least || n > most:
		c.violation(named(field), fmt.Sprintf("must be from %d to %d", least, most), value)
	}
}

// isInteger reports whether a text consists of an optional sign and digits.
func isInteger(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func listed(values []any) string {
	var texts []string
	for _, value := range values {
		if value != nil {
			texts = append(texts, fmt.Sprint(value))
		}
	}
	return strings.Join(texts, ", ")
}
