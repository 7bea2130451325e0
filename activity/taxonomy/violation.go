package taxonomy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

// maxViolations is the maximum number of violations that are reported of one payload.
const maxViolations = 20

// violation is a rule of a schema that a payload violates. It does not contain the value, which may
// be a secret.
type violation struct {
	path []string
	kind string // the JSON type of the value, if the rule is about the type
	rule string
}

// violationsOf returns the violations of a schema by field.
func violationsOf(action string, err *jsonschema.ValidationError) []invalid.Field {
	found := leafViolations(nil, action, err)
	slices.SortStableFunc(found, func(a, b violation) int {
		return cmp.Or(slices.Compare(a.path, b.path), strings.Compare(a.rule, b.rule))
	})
	fields := make([]invalid.Field, 0, len(found))
	for _, b := range found {
		f := invalid.Field{Name: fieldOf(b.path...), Value: b.kind, Rule: b.rule}
		if !slices.Contains(fields, f) && len(fields) < maxViolations {
			fields = append(fields, f)
		}
	}
	return fields
}

// fieldOf returns the name of a field of the payload: "payload.run.id".
func fieldOf(path ...string) string {
	name := "payload"
	for _, key := range path {
		name += "." + cutKey(key)
	}
	return name
}

func cutKey(key string) string {
	if cut := []rune(key); len(cut) > 100 {
		return string(cut[:100])
	}
	return key
}

func leafViolations(found []violation, action string, e *jsonschema.ValidationError) []violation {
	at := e.InstanceLocation
	add := func(path []string, value, rule string, args ...any) {
		found = append(found, violation{path, value, fmt.Sprintf(rule, args...)})
	}
	under := func(key string) []string { return append(slices.Clone(at), key) }
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		for _, cause := range e.Causes {
			found = leafViolations(found, action, cause)
		}
	case *kind.Type:
		add(at, k.Got, "must be %s", kinds(k.Want))
	case *kind.Enum:
		add(at, "", "must be one of %s", values(k.Want))
	case *kind.Const:
		add(at, "", "must be %s", values([]any{k.Want}))
	case *kind.Format:
		add(at, "", "must have the format %s", k.Want)
	case *kind.Pattern:
		add(at, "", "must match %s", cutKey(k.Want))
	case *kind.Required:
		for _, key := range k.Missing {
			add(under(key), "", "is required by %s", action)
		}
	case *kind.DependentRequired:
		for _, key := range k.Missing {
			add(under(key), "", "is required together with %s", cutKey(k.Prop))
		}
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			add(under(key), "", "is not a key of %s", action)
		}
	case *kind.PropertyNames:
		add(under(k.Property), "", "is not a key that %s allows", action)
	case *kind.FalseSchema:
		add(at, "", "is not allowed by %s", action)
	case *kind.AnyOf, *kind.OneOf:
		add(at, "", "must match one of the alternatives of %s", action)
	case *kind.Not:
		add(at, "", "must not be a value that %s excludes", action)
	case *kind.MinLength:
		add(at, "", "must be at least %d characters", k.Want)
	case *kind.MaxLength:
		add(at, "", "must be at most %d characters", k.Want)
	case *kind.MinItems:
		add(at, "", "must have at least %d items", k.Want)
	case *kind.MaxItems:
		add(at, "", "must have at most %d items", k.Want)
	case *kind.MinProperties:
		add(at, "", "must have at least %d keys", k.Want)
	case *kind.MaxProperties:
		add(at, "", "must have at most %d keys", k.Want)
	case *kind.UniqueItems:
		add(at, "", "must not have an item twice")
	case *kind.Minimum:
		add(at, "", "must be at least %s", ratio(k.Want))
	case *kind.Maximum:
		add(at, "", "must be at most %s", ratio(k.Want))
	case *kind.ExclusiveMinimum:
		add(at, "", "must be above %s", ratio(k.Want))
	case *kind.ExclusiveMaximum:
		add(at, "", "must be below %s", ratio(k.Want))
	case *kind.MultipleOf:
		add(at, "", "must be a multiple of %s", ratio(k.Want))
	default:
		keyword := "its schema"
		if path := e.ErrorKind.KeywordPath(); len(path) > 0 {
			keyword = path[0]
		}
		add(at, "", "must satisfy %q of %s", keyword, action)
	}
	return found
}

// kinds returns a list of JSON types as text: "a string or null".
func kinds(want []string) string {
	var texts []string
	for _, name := range want {
		switch name {
		case "null": // is last
		case "integer", "object", "array":
			texts = append(texts, "an "+name)
		default:
			texts = append(texts, "a "+name)
		}
	}
	if len(texts) < len(want) {
		texts = append(texts, "null")
	}
	return strings.Join(texts, " or ")
}

// values returns values of a schema as text.
func values(want []any) string {
	texts := make([]string, len(want))
	for i, value := range want {
		text, ok := value.(string)
		if !ok {
			raw, err := json.Marshal(value)
			if err != nil {
				raw = []byte("a value that is not JSON")
			}
			text = string(raw)
		}
		texts[i] = text
	}
	all := strings.Join(texts, ", ")
	if cut := []rune(all); len(cut) > 200 {
		return string(cut[:199]) + "…"
	}
	return all
}

func ratio(r *big.Rat) string {
	if r.IsInt() && r.Num().BitLen() < 128 {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}
