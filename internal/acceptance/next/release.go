package next

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoRelease means that no release tag is reachable, so there is no version before.
var ErrNoRelease = errors.New("no release tag v* is reachable from this commit")

// NewestRelease returns the newest release tag before the commit of the module at root.
func NewestRelease(ctx context.Context, root string) (tag string, err error) {
	tags, err := git(ctx, root, "tag", "--list", "v*", "--merged", "HEAD", "--sort", "-version:refname")
	if err != nil {
		return "", err
	}
	tag, _, _ = strings.Cut(tags, "\n")
	if tag == "" {
		return "", ErrNoRelease
	}
	return tag, nil
}

// Changed returns the migrations of a release that the module at root has changed or lacks. There
// must be none, since a released migration is applied already.
func Changed(ctx context.Context, root, tag string) ([]string, error) {
	changed, err := git(ctx, root,
		"diff", "--name-only", "--diff-filter=a", "--no-renames", tag, "--", "migrations/*.sql")
	if err != nil || changed == "" {
		return nil, err
	}
	return strings.Split(changed, "\n"), nil
}

// BuildRelease builds the program of a release, as the version before, and that of the module at
// root, as the next one, into dir. Contract is "".
func BuildRelease(ctx context.Context, root, tag, dir string) (p Programs, err error) {
	changed, err := Changed(ctx, root, tag)
	if err == nil && len(changed) > 0 {
		err = fmt.Errorf("released migrations differ from those of %s: %s", tag, strings.Join(changed, ", "))
	}
	if err != nil {
		return p, err
	}
	source := filepath.Join(dir, "source")
	if _, err := git(ctx, root, "worktree", "add", "--detach", "--force", source, tag); err != nil {
		return p, err
	}
	defer func() {
		_, removeErr := git(context.WithoutCancel(ctx), root, "worktree", "remove", "--force", source)
		err = errors.Join(err, removeErr, os.RemoveAll(source))
	}()
	p = Programs{Before: filepath.Join(dir, "fanfare-"+tag), Next: filepath.Join(dir, "fanfare-next")}
	return p, errors.Join(build(ctx, source, p.Before, tag, nil), build(ctx, root, p.Next, "next", nil))
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...)
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", args[0], err, bytes.TrimSpace(problem.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}
