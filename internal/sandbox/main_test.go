package sandbox

import (
	"testing"

	"github.com/fanfarehq/fanfare/internal/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }
