package packages_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const composeFile = "../compose/compose.yaml"

// loadCompose reads the file as Docker Compose does, which validates it.
func loadCompose(t *testing.T, environment ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{composeFile}, cli.WithEnv(environment))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

// TestCompose reads the file for Docker Compose with the secrets of env.example.
func TestCompose(t *testing.T) {
	t.Parallel()
	var names, environment []string
	for _, line := range lines(read(t, "../compose/env.example")) {
		if name, value, found := strings.Cut(line, "="); found && !strings.HasPrefix(line, "#") {
			if value != "" {
				t.Errorf("env.example contains a value of %s", name)
			}
			names, environment = append(names, name), append(environment, name+"=secret-"+name)
		}
	}
	project, err := loadCompose(t, environment...)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres", "centrifugo", "migrate", "fanfare"} {
		if _, found := project.Services[name]; !found {
			t.Errorf("no service %s", name)
		}
	}
	for name, service := range project.Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes port %d on %q, want the loopback interface", name, port.Target, port.HostIP)
			}
		}
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(filepath.Clean(volume.Source)); err != nil {
				t.Errorf("%s mounts what does not exist: %v", name, err)
			}
		}
	}
	for _, missing := range names {
		var others []string
		for _, entry := range environment {
			if !strings.HasPrefix(entry, missing+"=") {
				others = append(others, entry)
			}
		}
		if _, err := loadCompose(t, others...); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: got %v, want an error that names it", missing, err)
		}
	}
}
