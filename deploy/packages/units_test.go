package packages_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var exposure = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

// TestUnits has systemd verify each instance of the unit, beside the program that it starts, and
// rate how much of the system it exposes, from 0 to 10.
func TestUnits(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"fanfare@run", "fanfare@worker", "fanfare@serve"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, unit := filepath.Join(t.TempDir(), "fanfare"), filepath.Join(t.TempDir(), name+".service")
			if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			text := read(t, "../systemd/fanfare@.service")
			text = strings.ReplaceAll(text, "/usr/bin/fanfare ", program+" ")
			if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if complaints := lines(output(t, "systemd-analyze", "verify", "--man=no", unit)); len(complaints) > 0 {
				t.Errorf("systemd-analyze verify:\n%s", strings.Join(complaints, "\n"))
			}
			rated := exposure.FindStringSubmatch(output(t, "systemd-analyze", "security", "--offline=true", unit))
			if rated == nil {
				t.Fatal("systemd-analyze security rates nothing")
			}
			if rate, err := strconv.ParseFloat(rated[1], 64); err != nil || rate > 1.5 {
				t.Errorf("the unit is exposed by %s, want at most 1.5", rated[1])
			}
		})
	}
}
