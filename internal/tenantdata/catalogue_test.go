package tenantdata_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestEveryTableOfTenantsIsListed compares the catalogue with the schema: a migration that adds a
// table with rows of tenants must decide what becomes of them when a tenant moves.
func TestEveryTableOfTenantsIsListed(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rows, err := db.Pool.Query(t.Context(), `
		SELECT c.relname::text
		FROM pg_class AS c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
		WHERE c.relnamespace = 'fanfare'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, table := range tenantdata.Tables() {
		listed = append(listed, table.Name)
	}
	for _, name := range schema {
		if !slices.Contains(listed, name) {
			t.Errorf("fanfare.%s has rows of tenants and is not in Tables", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(schema, name) {
			t.Errorf("Tables has %s, which is not a table with rows of tenants", name)
		}
	}
}

// TestKeysAreColumns checks that the keys of the catalogue are columns of the type uuid, and that
// every ignored column exists.
func TestKeysAreColumns(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, table := range tenantdata.Tables() {
		for _, c := range append(slices.Clone(table.Key), table.Ignored...) {
			var kind string
			err := db.Pool.QueryRow(t.Context(), `
				SELECT format_type(atttypid, NULL) FROM pg_attribute
				WHERE attrelid = ('fanfare.' || $1)::regclass AND attname = $2 AND NOT attisdropped`, table.Name, c).
				Scan(&kind)
			if err != nil || slices.Contains(table.Key, c) && kind != "uuid" {
				t.Errorf("fanfare.%s.%s: got type %q and %v, want a column, and uuid if it is of the key",
					table.Name, c, kind, err)
			}
		}
	}
}

// TestKeysAreIndexed checks that an index contains the key of all rows, unless the catalogue says
// that none does: a chunk is a range of it. Its columns are those of the key, perhaps behind the
// tenant.
func TestKeysAreIndexed(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, table := range tenantdata.Tables() {
		if len(table.Key) == 0 {
			continue
		}
		var found bool
		err := db.Pool.QueryRow(t.Context(), `
			SELECT EXISTS (
			    SELECT FROM pg_index AS i
			    CROSS JOIN LATERAL (
			        SELECT array_agg(a.attname::text ORDER BY k.n) AS columns
			        FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, n)
			        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
			        WHERE k.n <= i.indnkeyatts
			    ) AS c
			    WHERE i.indrelid = ('fanfare.' || $1)::regclass AND i.indpred IS NULL
			      AND array_remove(c.columns, 'tenant_id') = $2::text[]
			      AND coalesce(array_position(c.columns, 'tenant_id'), 1) = 1)`, table.Name, table.Key).Scan(&found)
		if err != nil || found == table.Unindexed {
			t.Errorf("fanfare.%s: got an index of the key: %v and %v, want Unindexed to say the opposite",
				table.Name, found, err)
		}
	}
}
