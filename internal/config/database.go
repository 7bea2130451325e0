package config

import "github.com/fanfarehq/fanfare/internal/database"

// Database returns the settings of commands that need only the database.
func Database() []Setting {
	return []Setting{
		{
			"database-url", "",
			"PostgreSQL connection string, such as postgres://user:password@host:5432/database; " +
				"prefer the environment variable, because process lists show flags",
			databaseURL(func(c *Config) *string { return &c.DatabaseURL }),
		},
		cellsSetting("file of the cells, instead of --database-url (docs/operating.md)"),
		{
			"cell", "",
			"name of a cell of --cells; daemons serve all cells by default, or those named, and other commands use " +
				"the named one, by default that of --tenant",
			cellNames(func(c *Config) *[]string { return &c.CellNames }),
		},
	}
}

// TenantMove returns the settings of commands that move a tenant to another database.
func TenantMove() []Setting {
	return append(Database(), Setting{
		"to-database-url", "",
		"PostgreSQL connection string of the database to which the tenant is moved; prefer the environment variable",
		databaseURL(func(c *Config) *string { return &c.ToDatabaseURL }),
	})
}

// databaseURL is the field of a PostgreSQL connection string. No part of an invalid one is shown,
// because any part may be the password.
func databaseURL(at func(*Config) *string) field {
	f := text("url", at, nil)
	f.check = func(c *Config) string {
		switch {
		case c.CellsFile.path == "":
			return database.URLRule(*at(c))
		case *at(c) != "":
			return "must not be set together with --cells"
		}
		return ""
	}
	f.show = func(c *Config) string { return database.RedactURL(*at(c)) }
	return f
}
