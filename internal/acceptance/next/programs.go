package next

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

//go:embed expand/*.sql contract/*.sql
var migrations embed.FS

// Programs are the paths of programs fanfare: that of this tree, one with more migrations, with
// which programs of this tree work, and one with a migration with which they do not.
type Programs struct {
	Before, Next, Contract string
}

// Build builds the programs of the module at root into dir, where it also puts the migrations.
func Build(ctx context.Context, root, dir string) (p Programs, err error) {
	if root, err = filepath.Abs(root); err != nil {
		return p, err
	}
	present, err := filepath.Glob(filepath.Join(root, "migrations", "*.sql"))
	if err != nil {
		return p, err
	}
	expand, err := fs.Glob(migrations, "expand/*.sql")
	if err != nil {
		return p, err
	}
	contract, err := fs.Glob(migrations, "contract/*.sql")
	if err != nil {
		return p, err
	}
	for _, program := range []struct {
		path  *string
		name  string
		added []string
	}{
		{&p.Before, "before", nil},
		{&p.Next, "next", expand},
		{&p.Contract, "contract", append(expand, contract...)},
	} {
		overlay := map[string]string{}
		for i, name := range program.added {
			file := fmt.Sprintf("%03d_%s", len(present)+i+1, path.Base(name))
			sql, err := Render(name, len(present), len(present)+len(expand))
			if err != nil {
				return p, err
			}
			written := filepath.Join(dir, file)
			if err := os.WriteFile(written, []byte(sql), 0o600); err != nil {
				return p, err
			}
			overlay[filepath.Join(root, "migrations", file)] = written
		}
		*program.path = filepath.Join(dir, "fanfare-"+program.name)
		if err := build(ctx, root, *program.path, program.name, overlay); err != nil {
			return p, err
		}
	}
	return p, nil
}

// Render returns the text of a migration after others: before is the number of this tree's last
// one, next that of the last one with which this tree's programs work.
func Render(name string, before, next int) (string, error) {
	sql, err := fs.ReadFile(migrations, name)
	if err != nil {
		return "", err
	}
	return strings.NewReplacer("@before", fmt.Sprintf("%03d", before), "@next", fmt.Sprintf("%03d", next)).
		Replace(string(sql)), nil
}

// build builds a program whose version is its name, with files that replace or add to those of the
// module.
func build(ctx context.Context, root, output, name string, overlay map[string]string) error {
	replaced, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return err
	}
	description := output + ".overlay.json"
	if err := os.WriteFile(description, replaced, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-overlay", description,
		"-ldflags", "-X main.version="+name, "-o", output, "./cmd/fanfare")
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build fanfare of the version %s: %w\n%s", name, err, bytes.TrimSpace(text))
	}
	return nil
}
