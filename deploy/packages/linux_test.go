package packages_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// installed are the files that the packages for Linux install, apart from their documentation.
var installed = []string{
	"/etc/fanfare/fanfare.env",
	"/usr/bin/fanfare",
	"/usr/lib/systemd/system/fanfare@.service",
	"/usr/share/fanfare/centrifugo.v5.json",
	"/usr/share/fanfare/centrifugo.v6.json",
}

// linuxPackage returns the package of a format for this machine.
func linuxPackage(t *testing.T, format string) string {
	t.Helper()
	for _, a := range artifacts(t, "Linux Package") {
		if a.Format == format && a.Arch == runtime.GOARCH {
			path, err := filepath.Abs(a.Path)
			if err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	t.Fatalf("dist contains no %s for %s", format, runtime.GOARCH)
	return ""
}

// TestPackages installs each package into an empty root, starts what it installs, installs it
// again over changed settings, and removes it.
func TestPackages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format          string
		prepare         func(t *testing.T, root string)
		install, remove func(root, path string) []string
	}{
		"deb": {
			format: ".deb",
			prepare: func(t *testing.T, root string) {
				t.Helper()
				for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates"} {
					if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			},
			install: func(root, path string) []string {
				return []string{
					"dpkg", "--root=" + root, "--force-script-chrootless", "--force-not-root", "--force-confold",
					"--log=/dev/null", "--install", path,
				}
			},
			remove: func(root, _ string) []string {
				return []string{
					"dpkg", "--root=" + root, "--force-script-chrootless", "--force-not-root", "--log=/dev/null",
					"--purge", "fanfare",
				}
			},
		},
		"rpm": {
			format:  ".rpm",
			prepare: func(*testing.T, string) {},
			install: func(root, path string) []string {
				return []string{
					"rpm", "--root=" + root, "--dbpath=/var/lib/rpm", "--nodeps", "--noscripts", "--replacepkgs",
					"--install", path,
				}
			},
			remove: func(root, _ string) []string {
				return []string{
					"rpm", "--root=" + root, "--dbpath=/var/lib/rpm", "--nodeps", "--noscripts", "--erase", "fanfare",
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			c.prepare(t, root)
			path := linuxPackage(t, c.format)
			command := c.install(root, path)
			output(t, command[0], command[1:]...)
			if diff := cmp.Diff(installed, files(t, root)); diff != "" {
				t.Errorf("installed (-want +got):\n%s", diff)
			}
			settings := filepath.Join(root, "etc/fanfare/fanfare.env")
			if info, err := os.Stat(settings); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the file of secrets: %v, %v, want the mode 0600", info.Mode(), err)
			}
			binary := filepath.Join(root, "usr/bin/fanfare")
			if got, want := output(t, binary, "--version"), "fanfare "+version(t)+" "; !strings.HasPrefix(got, want) {
				t.Errorf("--version printed %q, want %q", got, want)
			}
			starts(t, binary)

			const changed = "FANFARE_DATABASE_URL=postgres://changed\n"
			if err := os.WriteFile(settings, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			output(t, command[0], command[1:]...)
			if got := read(t, settings); got != changed {
				t.Errorf("installing it again changed the settings to %q", got)
			}
			command = c.remove(root, path)
			output(t, command[0], command[1:]...)
			for _, left := range files(t, root) {
				if !strings.HasPrefix(left, "/etc/fanfare/fanfare.env") {
					t.Errorf("removing it left %s", left)
				}
			}
		})
	}
}

// files lists the files of a root, without the package manager's own and the documentation.
func files(t *testing.T, root string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		name := strings.TrimPrefix(path, root)
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if name == "/var" || name == "/usr/share/doc" {
				return filepath.SkipDir
			}
		default:
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}
