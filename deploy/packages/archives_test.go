package packages_test

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestArchives lists what the archive of each platform contains.
func TestArchives(t *testing.T) {
	t.Parallel()
	var platforms []string
	for _, a := range artifacts(t, "Archive") {
		platforms = append(platforms, a.OS+"/"+a.Arch)
		binary, names := "fanfare", tarNames
		if a.OS == "windows" {
			binary, names = "fanfare.exe", zipNames
		}
		want := []string{
			"CHANGELOG.md", "LICENSE", "README.md", "deploy/centrifugo.v5.json", "deploy/centrifugo.v6.json", binary,
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, names(t, a.Path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", a.Name, diff)
		}
	}
	slices.Sort(platforms)
	want := []string{
		"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64", "windows/amd64", "windows/arm64",
	}
	if diff := cmp.Diff(want, platforms); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

func tarNames(t *testing.T, path string) (names []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			names = append(names, header.Name)
		}
	}
	slices.Sort(names)
	return names
}

func zipNames(t *testing.T, path string) (names []string) {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		if !f.FileInfo().IsDir() {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// TestChecksums compares SHA256SUMS with the files.
func TestChecksums(t *testing.T) {
	t.Parallel()
	listed := map[string]string{}
	for line := range strings.Lines(read(t, filepath.Join(dist, "SHA256SUMS"))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[name] = sum
	}
	for _, kind := range []string{"Archive", "Linux Package", "SBOM"} {
		for _, a := range artifacts(t, kind) {
			sum := sha256.Sum256([]byte(read(t, a.Path)))
			if listed[a.Name] != hex.EncodeToString(sum[:]) {
				t.Errorf("SHA256SUMS has %q for %s, which has the sum %x", listed[a.Name], a.Name, sum)
			}
		}
	}
}

// TestBinaries verifies that those for Linux need no shared library, and that the one for this
// machine prints the version of the release.
func TestBinaries(t *testing.T) {
	t.Parallel()
	ran := false
	for _, a := range artifacts(t, "Binary") {
		if a.OS != "linux" {
			continue
		}
		binary, err := elf.Open(a.Path)
		if err != nil {
			t.Fatal(err)
		}
		libraries, err := binary.ImportedLibraries()
		if err != nil {
			t.Fatal(err)
		}
		if len(libraries) > 0 {
			t.Errorf("%s/%s needs %v", a.OS, a.Arch, libraries)
		}
		if a.Arch == runtime.GOARCH {
			ran = true
			if got, want := output(t, a.Path, "--version"), "fanfare "+version(t)+" "; !strings.HasPrefix(got, want) {
				t.Errorf("--version printed %q, want %q", got, want)
			}
		}
		if err := binary.Close(); err != nil {
			t.Error(err)
		}
	}
	if !ran {
		t.Errorf("no binary is for %s", runtime.GOARCH)
	}
}

// TestBillsOfMaterials verifies that each binary has one, which names the modules of go.mod with
// their versions.
func TestBillsOfMaterials(t *testing.T) {
	t.Parallel()
	modules := read(t, root+"/go.mod")
	bills := artifacts(t, "SBOM")
	if binaries := artifacts(t, "Binary"); len(bills) != len(binaries) {
		t.Errorf("%d bills of materials for %d binaries", len(bills), len(binaries))
	}
	for _, a := range bills {
		var bill struct {
			Format     string `json:"bomFormat"`
			Components []struct{ Name, Version string }
		}
		if err := json.Unmarshal([]byte(read(t, a.Path)), &bill); err != nil {
			t.Fatalf("%s: %v", a.Name, err)
		}
		if bill.Format != "CycloneDX" {
			t.Errorf("%s has the format %q", a.Name, bill.Format)
		}
		found := false
		for _, c := range bill.Components {
			if c.Name == "github.com/jackc/pgx/v5" {
				found = strings.Contains(modules, c.Name+" "+c.Version+"\n")
			}
		}
		if !found {
			t.Errorf("%s does not contain pgx with the version of go.mod", a.Name)
		}
	}
}
