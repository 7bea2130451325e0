package standby_test

import (
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
