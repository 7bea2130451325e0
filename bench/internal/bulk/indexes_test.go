package bulk_test

import (
	"testing"

	"github.com/fanfarehq/fanfare/bench/internal/bulk"
)

func TestIndexOnAnotherTable(t *testing.T) {
	for _, c := range []struct{ name, create, want string }{
		{
			"log_actor", "CREATE INDEX log_actor ON fanfare.log USING btree (actor, id) WHERE (actor IS NOT NULL)",
			"CREATE INDEX ON other USING btree (actor, id) WHERE (actor IS NOT NULL)",
		},
		{
			"log_unique", "CREATE UNIQUE INDEX log_unique ON fanfare.log USING btree (id)",
			"CREATE UNIQUE INDEX ON other USING btree (id)",
		},
		{
			"log_pkey", "ALTER TABLE fanfare.log ADD CONSTRAINT log_pkey PRIMARY KEY (tenant_id, id)",
			"ALTER TABLE other ADD PRIMARY KEY (tenant_id, id)",
		},
	} {
		i := bulk.Index{Name: c.name, Create: c.create}
		if got := i.On("fanfare.log", "other"); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
