package api

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// TestExportedFilterIsComplete checks that every field of a filter is part of the record of an
// export.
func TestExportedFilterIsComplete(t *testing.T) {
	t.Parallel()
	var filter activity.Filter
	given := reflect.ValueOf(&filter).Elem()
	for i := range given.NumField() {
		switch field := given.Field(i).Addr().Interface().(type) {
		case *string:
			*field = given.Type().Field(i).Name
		case *uuid.UUID:
			*field = uuid.New()
		case *time.Time:
			*field = time.Now()
		default:
			t.Fatalf("no value for the type %T", field)
		}
	}
	recorded := reflect.ValueOf(exportedFilter(filter))
	for i := range given.NumField() {
		name := given.Type().Field(i).Name
		if got := recorded.FieldByName(name); !got.IsValid() || !got.Equal(given.Field(i)) {
			t.Errorf("%s: got %v, want %v", name, got, given.Field(i))
		}
	}
}
