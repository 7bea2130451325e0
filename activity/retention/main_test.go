package retention_test

import (
	"flag"
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) {
	// A check takes a database of its own. The command line may say another number.
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	pgtest.Main(m)
}
