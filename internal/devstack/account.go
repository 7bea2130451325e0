package devstack

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// account is another user to run a server as. A nil account is the present user.
type account struct {
	uid, gid int
}

// serverAccount returns the account to run PostgreSQL as: nil, or for root, which PostgreSQL does
// not run as, the account "postgres", else "nobody".
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if errors.As(err, new(user.UnknownUserError)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", name, err)
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", name, err)
		}
		return &account{uid: uid, gid: gid}, nil
	}
	return nil, errors.New(`PostgreSQL does not run as root; create an account "postgres" or "nobody"`)
}

// own changes the owner of a file or directory to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}
