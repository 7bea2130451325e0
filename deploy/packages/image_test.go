package packages_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestImage runs the program of the image as the image's user, with the image's files as the root.
func TestImage(t *testing.T) {
	t.Parallel()
	store := []string{"--root", filepath.Join(t.TempDir(), "root"), "--runroot", t.TempDir(), "--storage-driver", "vfs"}
	buildah := func(args ...string) string {
		return strings.TrimSpace(output(t, "buildah", append(store, args...)...))
	}
	layout, err := filepath.Abs(filepath.Join(dist, "image"))
	if err != nil {
		t.Fatal(err)
	}
	image := buildah("pull", "--quiet", "oci:"+layout)
	var inspected struct {
		OCIv1 struct {
			Config struct {
				User         string
				Env          []string
				Entrypoint   []string
				Cmd          []string
				ExposedPorts map[string]struct{}
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(buildah("inspect", "--type", "image", image)), &inspected); err != nil {
		t.Fatal(err)
	}
	config := inspected.OCIv1.Config
	if config.User != "65532:65532" || !slices.Equal(config.Entrypoint, []string{"/fanfare"}) ||
		!slices.Equal(config.Cmd, []string{"run"}) {
		t.Errorf("the image runs %v %v as %q", config.Entrypoint, config.Cmd, config.User)
	}
	mounted := buildah("mount", buildah("from", "--pull-never", image))
	if diff := cmp.Diff([]string{"/fanfare"}, files(t, mounted)); diff != "" {
		t.Errorf("the files of the image (-want +got):\n%s", diff)
	}
	starts(t, "chroot", "--userspec="+config.User, mounted, config.Entrypoint[0])
}

// TestImagePlatforms verifies that the image exists for both architectures.
func TestImagePlatforms(t *testing.T) {
	t.Parallel()
	type descriptor struct {
		Digest   string
		Platform struct{ OS, Architecture string }
	}
	var index struct{ Manifests []descriptor }
	decode := func(path string) {
		index.Manifests = nil
		if err := json.Unmarshal([]byte(read(t, filepath.Join(dist, "image", path))), &index); err != nil {
			t.Fatal(err)
		}
	}
	decode("index.json")
	if len(index.Manifests) != 1 {
		t.Fatalf("got %d images, want 1", len(index.Manifests))
	}
	decode("blobs/" + strings.Replace(index.Manifests[0].Digest, ":", "/", 1))
	var platforms []string
	for _, m := range index.Manifests {
		platforms = append(platforms, m.Platform.OS+"/"+m.Platform.Architecture)
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}
