package migrations

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// RightsError reports that the migrating role lacks a right.
type RightsError struct {
	err    error
	remedy string
}

// Error returns the server's error and the remedy.
func (e *RightsError) Error() string { return e.err.Error() + ": " + e.remedy }

// Unwrap returns the server's error.
func (e *RightsError) Unwrap() error { return e.err }

// Remedy describes who must do what before the command is run again.
func (e *RightsError) Remedy() string { return e.remedy }

// explain adds a remedy to the error of a role that lacks a right. It returns other errors as they
// are, also if the role's rights cannot be read.
func explain(ctx context.Context, conn *pgx.Conn, prefix string, err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if _, explained := errors.AsType[*RightsError](err); !ok || explained || server.Code != "42501" {
		return err
	}
	if chosen, _, chooseErr := choosePrefix(ctx, conn, prefix); chooseErr == nil {
		prefix = chosen
	}
	held, readErr := readRights(ctx, conn, prefix)
	if readErr != nil {
		return err
	}
	return &RightsError{err, held.remedy()}
}

// rights are what a role needs in order to migrate.
type rights struct {
	role, database string
	owner          string   // of the schema; "" if it does not exist
	ownsSchema     bool     // or is a member of its owner
	createSchemas  bool     // has CREATE on the database
	createRoles    bool     // has CREATEROLE, or is a superuser
	missing        []string // roles of the installation that do not exist
	unusable       []string // roles of the installation of which it is no member, and may not become one
}

// readRights reads the rights of the current role. An object without the right to see it counts as
// missing.
func readRights(ctx context.Context, conn *pgx.Conn, prefix string) (r rights, err error) {
	err = conn.QueryRow(ctx, `
		SELECT quote_ident(current_user), quote_ident(current_database()), coalesce(quote_ident(o.rolname), ''),
		       coalesce(pg_has_role(current_user, o.oid, 'USAGE'), false),
		       has_database_privilege(current_database(), 'CREATE'),
		       (SELECT m.rolcreaterole OR m.rolsuper FROM pg_roles AS m WHERE m.rolname = current_user),
		       ARRAY(SELECT quote_ident(w.name) FROM unnest($1::text[]) AS w(name)
		             WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = w.name)),
		       ARRAY(SELECT quote_ident(r.rolname) FROM pg_roles AS r
		             WHERE r.rolname = ANY ($1) AND `+unusableRole+`)
		FROM (SELECT) AS one
		LEFT JOIN pg_namespace AS n ON n.nspname = 'fanfare'
		LEFT JOIN pg_roles AS o ON o.oid = n.nspowner`, rolesOf(prefix)).
		Scan(&r.role, &r.database, &r.owner, &r.ownsSchema, &r.createSchemas, &r.createRoles, &r.missing, &r.unusable)
	return r, err
}

// remedy describes how the role gets the rights that it lacks.
func (r rights) remedy() string {
	if r.owner != "" && !r.ownsSchema {
		return fmt.Sprintf("run the command as %s, which owns the schema fanfare", r.owner)
	}
	var statements []string
	if r.owner == "" && !r.createSchemas {
		statements = append(statements, fmt.Sprintf("GRANT CREATE ON DATABASE %s TO %s;", r.database, r.role))
	}
	granted := r.unusable
	if !r.createRoles {
		for _, name := range r.missing {
			statements = append(statements, fmt.Sprintf("CREATE ROLE %s NOLOGIN;", name))
		}
		granted = append(r.missing, r.unusable...)
	}
	if len(granted) > 0 {
		statements = append(statements, fmt.Sprintf("GRANT %s TO %s WITH ADMIN OPTION;",
			strings.Join(granted, ", "), r.role))
	}
	if len(statements) == 0 {
		return fmt.Sprintf("run the command as the owner of the schema's objects, or let a superuser give them to %s",
			r.role)
	}
	advice := "let a superuser execute " + strings.Join(statements, " ")
	switch {
	case len(r.unusable) > 0:
		advice += " or choose other roles with --role-prefix"
	case len(r.missing) > 0 && !r.createRoles:
		advice += fmt.Sprintf(" or ALTER ROLE %s CREATEROLE;", r.role)
	}
	return advice
}
