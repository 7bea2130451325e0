package devstack

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// centrifugoVariable is the environment variable with the binary's path.
const centrifugoVariable = "FANFARE_CENTRIFUGO_BIN"

// ErrNoCentrifugo is returned if no binary of Centrifugo is found.
var ErrNoCentrifugo = errors.New("no Centrifugo found: build it with make bin/centrifugo, " +
	"or set " + centrifugoVariable + " to the path of a v6 or v5 binary, or put centrifugo on PATH")

// FindCentrifugo returns the path of Centrifugo: the argument, else an installed one, else
// centrifugo beside the running executable or in the checkout's bin. If there is none, the error is
// ErrNoCentrifugo.
func FindCentrifugo(named string) (string, error) {
	if named != "" {
		return namedCentrifugo(named)
	}
	if path, err := InstalledCentrifugo(); !errors.Is(err, ErrNoCentrifugo) {
		return path, err
	}
	var candidates []string
	if executable, err := os.Executable(); err == nil {
		candidates = append(candidates, filepath.Join(filepath.Dir(executable), "centrifugo"))
	}
	if root, ok := Checkout(); ok {
		candidates = append(candidates, filepath.Join(root, "bin", "centrifugo"))
	}
	for _, path := range candidates {
		if path, err := exec.LookPath(path); err == nil {
			return path, nil
		}
	}
	return "", ErrNoCentrifugo
}

// InstalledCentrifugo returns the path of a Centrifugo that needs no building: the value of the
// environment variable FANFARE_CENTRIFUGO_BIN, else centrifugo on PATH if its version is supported.
// If there is none, the error is ErrNoCentrifugo.
func InstalledCentrifugo() (string, error) {
	if named := os.Getenv(centrifugoVariable); named != "" {
		return namedCentrifugo(named)
	}
	if path, err := exec.LookPath("centrifugo"); err == nil {
		if _, err := CentrifugoVersion(path); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", ErrNoCentrifugo
}

func namedCentrifugo(named string) (string, error) {
	path, err := exec.LookPath(named)
	if err != nil {
		return "", fmt.Errorf("centrifugo binary: %w", err)
	}
	return filepath.Abs(path)
}

// supportedCentrifugo lists the major versions whose configuration is known.
var supportedCentrifugo = []int{5, 6}

// Version is the version of a server's binary.
type Version struct {
	Major int
	Text  string // such as v6.9.1; v6 if the binary does not contain more
}

// CentrifugoVersion returns the version of a binary: of the Go module that it was built from, else
// the one that its command "version" prints. It fails if Fanfare does not support the version.
func CentrifugoVersion(path string) (v Version, err error) {
	if info, err := buildinfo.ReadFile(path); err == nil {
		v = moduleVersion(info.Main.Path, info.Main.Version)
	}
	if v.Major == 0 {
		if v, err = printedVersion(path); err != nil {
			return Version{}, err
		}
	}
	if !slices.Contains(supportedCentrifugo, v.Major) {
		return Version{}, fmt.Errorf("%s is Centrifugo %s; Fanfare supports v5 and v6", path, v.Text)
	}
	return v, nil
}

// moduleVersion returns the zero Version if the module is not Centrifugo's.
func moduleVersion(module, version string) Version {
	match := regexp.MustCompile(`^github\.com/centrifugal/centrifugo/(v(\d+))$`).FindStringSubmatch(module)
	if match == nil {
		return Version{}
	}
	major, err := strconv.Atoi(match[2])
	if err != nil {
		return Version{}
	}
	if !regexp.MustCompile(`^v\d+\.`).MatchString(version) { // "(devel)"
		version = match[1]
	}
	return Version{Major: major, Text: version}
}

func printedVersion(path string) (Version, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return Version{}, fmt.Errorf("%s version: %w", path, err)
	}
	match := regexp.MustCompile(`Centrifugo.* (v(\d+)\.\S+)`).FindSubmatch(out)
	if match == nil {
		return Version{}, fmt.Errorf("%s version: got %q, want the version of Centrifugo", path, bytes.TrimSpace(out))
	}
	major, err := strconv.Atoi(string(match[2]))
	return Version{Major: major, Text: string(match[1])}, err
}

// Checkout returns the root of the checkout of Fanfare that contains the working directory.
func Checkout() (root string, ok bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	return moduleRoot(dir)
}

// moduleRoot returns the root of the checkout of Fanfare that contains dir.
func moduleRoot(dir string) (root string, ok bool) {
	for ; ; dir = filepath.Dir(dir) {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(content, []byte("module github.com/fanfarehq/fanfare\n")) {
			return dir, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}
