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

// maxViolations is how many violations of one payload are told.
const maxViolations = 20

// violation is where a payload breaks which rule of its schema. What the payload holds there is not
// told: it may be a secret.
type violation struct {
	path []string
	kind string // of the value, where the rule is about that
	rule string
}

// violations returns what a schema's validation found, in the order of the fields. What the payload
// itself lacks is left out, since that is told before.
func violations(action string, err *jsonschema.ValidationError) []invalid.Field {
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

// fieldOf names a place in the payload: "payload.run.id".
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
	tell := func(path []string, kind, rule string, args ...any) {
		found = append(found, violation{path, kind, fmt.Sprintf(rule, args...)})
	}
	under := func(key string) []string { return append(slices.Clone(at), key) }
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		for _, cause := range e.Causes {
			found = leafViolations(found, action, cause)
		}
	case *kind.Type:
		tell(at, k.Got, "must be %s", kinds(k.Want))
	case *kind.Enum:
		tell(at, "", "must be one of %s", values(k.Want))
	case *kind.Const:
		tell(at, "", "must be %s", values([]any{k.Want}))
	case *kind.Format:
		tell(at, "", "must have the format %s", k.Want)
	case *kind.Pattern:
		tell(at, "", "must match %s", cutKey(k.Want))
	case *kind.Required:
		for _, key := range k.Missing {
			tell(under(key), "", "is required by %s", action)
		}
	case *kind.DependentRequired:
		for _, key := range k.Missing {
			tell(under(key), "", "is required beside %s", cutKey(k.Prop))
		}
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			tell(under(key), "", "is not a key that %s knows", action)
		}
	case *kind.PropertyNames:
		tell(under(k.Property), "", "is not a name that %s allows", action)
	case *kind.FalseSchema:
		tell(at, "", "is not allowed by %s", action)
	case *kind.AnyOf, *kind.OneOf:
		tell(at, "", "must match one of the alternatives that %s names", action)
	case *kind.Not:
		tell(at, "", "must not be what %s excludes", action)
	case *kind.MinLength:
		tell(at, "", "must be at least %d characters", k.Want)
	case *kind.MaxLength:
		tell(at, "", "must be at most %d characters", k.Want)
	case *kind.MinItems:
		tell(at, "", "must hold at least %d items", k.Want)
	case *kind.MaxItems:
		tell(at, "", "must hold at most %d items", k.Want)
	case *kind.MinProperties:
		tell(at, "", "must hold at least %d keys", k.Want)
	case *kind.MaxProperties:
		tell(at, "", "must hold at most %d keys", k.Want)
	case *kind.UniqueItems:
		tell(at, "", "must hold no item twice")
	case *kind.Minimum:
		tell(at, "", "must be at least %s", ratio(k.Want))
	case *kind.Maximum:
		tell(at, "", "must be at most %s", ratio(k.Want))
	case *kind.ExclusiveMinimum:
		tell(at, "", "must be above %s", ratio(k.Want))
	case *kind.ExclusiveMaximum:
		tell(at, "", "must be below %s", ratio(k.Want))
	case *kind.MultipleOf:
		tell(at, "", "must be a multiple of %s", ratio(k.Want))
	default:
		words := "its schema"
		if path := e.ErrorKind.KeywordPath(); len(path) > 0 {
			words = path[0]
		}
		tell(at, "", "must keep to %q of %s", words, action)
	}
	return found
}

// kinds says which kinds of values are right: "a string or null".
func kinds(want []string) string {
	var words []string
	for _, kind := range want {
		switch kind {
		case "null": // comes last
		case "integer", "object", "array":
			words = append(words, "an "+kind)
		default:
			words = append(words, "a "+kind)
		}
	}
	if len(words) < len(want) {
		words = append(words, "null")
	}
	return strings.Join(words, " or ")
}

// values writes values of a schema as people read them.
func values(want []any) string {
	words := make([]string, len(want))
	for i, value := range want {
		text, ok := value.(string)
		if !ok {
			raw, err := json.Marshal(value)
			if err != nil {
				raw = []byte("something else")
			}
			text = string(raw)
		}
		words[i] = text
	}
	all := strings.Join(words, ", ")
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
