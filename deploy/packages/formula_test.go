package packages_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// TestFormula has Ruby check the syntax of the Homebrew formula, and compares its checksums with
// the archives.
func TestFormula(t *testing.T) {
	t.Parallel()
	formulas := artifacts(t, "Homebrew Formula")
	if len(formulas) != 1 {
		t.Fatalf("got %d formulas, want 1", len(formulas))
	}
	output(t, "ruby", "-c", formulas[0].Path)
	formula := read(t, formulas[0].Path)
	for _, a := range artifacts(t, "Archive") {
		sum := sha256.Sum256([]byte(read(t, a.Path)))
		if a.OS != "windows" && !strings.Contains(formula, hex.EncodeToString(sum[:])) {
			t.Errorf("the formula does not contain the checksum of %s", a.Name)
		}
	}
}
