package invalid

import (
	"errors"
	"fmt"
)

// Each calls one for each element of a list and returns the results. Its error is an *Error with
// the violations of all elements, whose fields it names as "envelopes[3].action", or the first
// error of another kind.
func Each[E, T any](name string, list []E, one func(E) (T, error)) ([]T, error) {
	results := make([]T, len(list))
	var refused Error
	for i, element := range list {
		result, err := one(element)
		if violated, ok := errors.AsType[*Error](err); ok {
			refused.Subject = violated.Subject
			refused.Fields = append(refused.Fields, violated.At(fmt.Sprintf("%s[%d].", name, i)).Fields...)
		} else if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", name, i, err)
		}
		results[i] = result
	}
	if len(refused.Fields) > 0 {
		return nil, &refused
	}
	return results, nil
}
