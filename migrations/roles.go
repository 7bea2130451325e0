package migrations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DefaultRolePrefix begins the names of the roles, unless another database of the cluster uses
// them.
const DefaultRolePrefix = "fanfare"

// maxPrefix is the maximum length of a prefix in bytes: a name has at most 63, and the longest
// suffixes are _retention and _directory.
const maxPrefix = 50

// The names of the roles after their prefix.
const (
	writerSuffix    = "_writer"
	retentionSuffix = "_retention"
	directorySuffix = "_directory"
)

var suffixes = []string{writerSuffix, retentionSuffix, directorySuffix}

// rolesOf returns the names of the roles.
func rolesOf(prefix string) []string {
	names := make([]string, len(suffixes))
	for i, suffix := range suffixes {
		names[i] = prefix + suffix
	}
	return names
}

// reserveRoles returns the prefix of a database. If it has none yet, it chooses one and creates the
// roles at once: roles belong to the cluster, so that the first of several databases that migrate
// at the same time gets a name, and the others choose again.
func reserveRoles(ctx context.Context, conn *pgx.Conn, given string) (string, error) {
	for attempts := 3; ; attempts-- {
		prefix, recorded, err := choosePrefix(ctx, conn, given)
		if err != nil || recorded {
			return prefix, err
		}
		created := false
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			statements, err := missingRoles(ctx, tx, prefix)
			if err != nil {
				return err
			}
			created = slices.ContainsFunc(statements, func(sql string) bool {
				return strings.HasPrefix(sql, `CREATE ROLE`)
			})
			for _, sql := range statements {
				if _, err := tx.Exec(ctx, sql); err != nil {
					return fmt.Errorf("%s: %w", sql, err)
				}
			}
			return nil
		})
		if err == nil && !created {
			// Another session may have created them since the prefix was chosen.
			again, _, chooseErr := choosePrefix(ctx, conn, given)
			if chooseErr == nil && again != prefix && attempts > 1 {
				continue
			}
			return prefix, chooseErr
		}
		if attempts == 1 || !roleExists(err) {
			return prefix, err
		}
	}
}

// roleExists reports whether another session created a role first.
func roleExists(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (server.Code == "42710" || server.Code == "23505") // duplicate_object, unique_violation
}

// missingRoles returns the statements that create the roles which do not exist, and that make the
// current role a member where it is none: it could not give away functions otherwise. The comment
// of a role names its database.
func missingRoles(ctx context.Context, tx pgx.Tx, prefix string) ([]string, error) {
	var statements []string
	for _, name := range rolesOf(prefix) {
		var exists, member bool
		var database string
		// Since PostgreSQL 16, the creator of a role is a member of it without the SET option.
		err := tx.QueryRow(ctx, `
			SELECT r.oid IS NOT NULL,
			       coalesce(pg_has_role(current_user, r.oid,
			           CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER'
			                ELSE 'SET' END), false),
			       current_database()
			FROM (SELECT) AS one LEFT JOIN pg_roles AS r ON r.rolname = $1`, name).
			Scan(&exists, &member, &database)
		if err != nil {
			return nil, fmt.Errorf("find the role %s: %w", name, err)
		}
		role := pgx.Identifier{name}.Sanitize()
		if !exists {
			statements = append(statements, `CREATE ROLE `+role+` NOLOGIN`,
				`COMMENT ON ROLE `+role+` IS `+quoteLiteral("Fanfare in the database "+database))
		}
		if !member {
			statements = append(statements, `GRANT `+role+` TO CURRENT_USER`)
		}
	}
	return statements, nil
}

// unusableRole is a condition on a role r: the current role is not a member and may not become one.
// Before PostgreSQL 16, CREATEROLE was enough.
const unusableRole = `
	NOT pg_has_role(current_user, r.oid,
	    CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)
	AND NOT pg_has_role(current_user, r.oid, 'MEMBER WITH ADMIN OPTION')
	AND NOT (current_setting('server_version_num')::int < 160000
	         AND (SELECT m.rolcreaterole FROM pg_roles AS m WHERE m.rolname = current_user))`

// choosePrefix returns the prefix that is recorded in a database. If there is none, it returns the
// given one, or the default, or one with the database's name if the default roles are those of
// another database of the cluster: it has rights for them, or they are described as another's, or
// the current role may not use them.
func choosePrefix(ctx context.Context, conn *pgx.Conn, given string) (prefix string, recorded bool, err error) {
	err = conn.QueryRow(ctx, `SELECT to_regprocedure('fanfare.role_prefix()') IS NOT NULL`).Scan(&recorded)
	if err == nil && recorded {
		err = conn.QueryRow(ctx, `SELECT fanfare.role_prefix()`).Scan(&prefix)
	}
	switch {
	case err != nil:
		return "", false, fmt.Errorf("read the roles' prefix: %w", err)
	case recorded && given != "" && given != prefix:
		return "", false, fmt.Errorf(
			"role prefix %q: the database has the prefix %q: change it with fanfare migrate repair", given, prefix)
	case recorded:
		return prefix, true, nil
	case given != "":
		return given, false, checkPrefix(given)
	}
	var taken bool
	var database string
	err = conn.QueryRow(ctx, `
		SELECT current_database(), EXISTS (
		    SELECT FROM pg_roles AS r
		    WHERE r.rolname = ANY ($1) AND (
		        EXISTS (
		            SELECT FROM pg_shdepend AS d
		            WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid
		              AND d.dbid NOT IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))
		        OR EXISTS (
		            SELECT FROM pg_database AS o
		            WHERE o.datname <> current_database()
		              AND shobj_description(r.oid, 'pg_authid') = 'Fanfare in the database ' || o.datname)
		        OR (`+unusableRole+`)))`, rolesOf(DefaultRolePrefix)).Scan(&database, &taken)
	if err != nil {
		return "", false, fmt.Errorf("choose the names of the roles: %w", err)
	}
	if !taken {
		return DefaultRolePrefix, false, nil
	}
	prefix = DefaultRolePrefix + "_" + database
	if len(prefix) > maxPrefix {
		return "", false, fmt.Errorf("another database uses the roles of %s, and this one's name is too long for "+
			"a prefix: choose one with --role-prefix", DefaultRolePrefix)
	}
	return prefix, false, nil
}

func checkPrefix(prefix string) error {
	switch {
	case len(prefix) > maxPrefix:
		return fmt.Errorf("role prefix %q: must be at most %d bytes", prefix, maxPrefix)
	case strings.HasPrefix(prefix, "pg_"):
		return fmt.Errorf("role prefix %q: must not begin with pg_", prefix)
	case strings.ContainsRune(prefix, 0):
		return errors.New("role prefix: must not contain NUL")
	}
	return nil
}

func quoteLiteral(text string) string {
	return `'` + strings.ReplaceAll(text, `'`, `''`) + `'`
}
