package config

import (
	"strings"
	"testing"
)

// TestConnectionStringsOfProviders checks connection strings in the forms that providers and
// drivers print: each is accepted, or refused with what to write instead.
func TestConnectionStringsOfProviders(t *testing.T) {
	t.Parallel()
	const (
		mode  = "write default_query_exec_mode=exec instead"
		write = "write postgres://user:password@host:5432/database"
	)
	for name, c := range map[string]struct{ connection, want string }{
		"RDS":    {"postgresql://app:hunter2@db.c1a2.eu-west-1.rds.amazonaws.com:5432/app", ""},
		"Aurora": {"postgres://app:hunter2@c.cluster-c1a2.eu-west-1.rds.amazonaws.com/app?sslmode=require", ""},
		"RDS Proxy, with system certificates": {
			"postgres://app:hunter2@p.proxy-c1a2.eu-west-1.rds.amazonaws.com/app?sslrootcert=system", "",
		},
		"Cloud SQL by the proxy's socket": {
			"postgres:///app?host=/cloudsql/project:europe-west1:db&user=app&password=hunter2", "",
		},
		"Cloud SQL in keywords": {
			"host=/cloudsql/project:europe-west1:db user=app password=hunter2 dbname=app", "",
		},
		"Azure in keywords": {
			"host=db.postgres.database.azure.com port=5432 dbname=app user=app password=hunter2 sslmode=require", "",
		},
		"Azure for .NET": {
			"Server=db.postgres.database.azure.com;Database=app;User Id=app;Password=hunter2;Ssl Mode=Require;",
			"separated by semicolons, as .NET writes them: " + write,
		},
		"Azure for JDBC": {
			"jdbc:postgresql://db.postgres.database.azure.com:5432/app?user=app&password=hunter2&sslmode=require",
			"is a URL of JDBC: " + write,
		},
		"Neon": {
			"postgresql://app:hunter2@ep-a-b-1.aws.neon.tech/app?sslmode=require&channel_binding=require", "",
		},
		"Neon's pooler": {
			"postgres://app:hunter2@ep-a-b-1-pooler.eu-central-1.aws.neon.tech/app?sslmode=require&" +
				"default_query_exec_mode=exec", "",
		},
		"Neon without SNI": {
			"postgres://app:hunter2@ep-a-b-1.aws.neon.tech/app?options=endpoint%3Dep-a-b-1&sslmode=require", "",
		},
		"Supabase": {"postgresql://postgres:hunter2@db.abcd.supabase.co:5432/postgres", ""},
		"Supabase's session pooler": {
			"postgresql://postgres.abcd:hunter2@aws-0-eu-central-1.pooler.supabase.com:5432/postgres", "",
		},
		"Supabase's transaction pooler, for Prisma": {
			"postgresql://postgres.abcd:hunter2@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true",
			"has the parameter pgbouncer, which neither PostgreSQL nor Fanfare knows: " + mode,
		},
		"Supabase's reference": {
			"postgres://postgres:hunter2@pooler.supabase.com:6543/postgres?options=reference%3Dabcd", "",
		},
		"Supabase by Vercel": {
			"postgres://postgres.abcd:hunter2@pooler.supabase.com:6543/postgres?sslmode=require&supa=base-pooler.x",
			"the parameter supa", // where it comes from
		},
		"Aiven":          {"postgres://avnadmin:hunter2@pg-1.aivencloud.com:12345/defaultdb?sslmode=require", ""},
		"Crunchy Bridge": {"postgres://application:hunter2@p.abcd.db.postgresbridge.com:5432/postgres", ""},
		"DigitalOcean": {
			"postgresql://doadmin:hunter2@db-1-do-user-1-0.b.db.ondigitalocean.com:25060/defaultdb?sslmode=require", "",
		},
		"Heroku":    {"postgres://abcd:hunter2@ec2-1-2-3-4.compute-1.amazonaws.com:5432/dabcd", ""},
		"Timescale": {"postgres://tsdbadmin:hunter2@abcd.wxyz.tsdb.cloud.timescale.com:31234/tsdb?sslmode=require", ""},

		"several hosts": {
			"postgres://app:hunter2@db-1:5432,db-2:5432/app?target_session_attrs=read-write&application_name=fan", "",
		},
		"parameters of the server": {
			"postgres://app:hunter2@db/app?statement_timeout=60s&search_path=app&options=-c%20jit%3Doff", "",
		},
		"parameters of pgx's pool": {"postgres://app:hunter2@db/app?pool_max_conns=10&pool_min_conns=1", ""},
		"ssl=true":                 {"postgres://app:hunter2@db/app?ssl=true", ""},

		"Prisma": {
			"postgresql://app:hunter2@db/app?schema=public&sslmode=require",
			"the parameter schema, which neither PostgreSQL nor Fanfare knows: leave it out",
		},
		"Prisma's pool": {
			"postgresql://app:hunter2@db/app?connection_limit=5", "leave it out: --workers and --api-connections",
		},
		"Prisma in keywords": {"host=db user=app password=hunter2 dbname=app connection_limit=5", "connection_limit"},
		"node-postgres": {
			"postgres://app:hunter2@db/app?sslmode=no-verify",
			"sslmode=no-verify, which is node-postgres's: write sslmode=require",
		},
		"an unknown sslmode": {
			"postgres://app:hunter2@db/app?sslmode=REQUIRED",
			"has an unknown sslmode: write disable, allow, prefer, require, verify-ca, verify-full",
		},
		"SQLAlchemy": {"postgresql+psycopg://app:hunter2@db/app", "has the scheme postgresql+psycopg://: " + write},
		"Rails": {
			"postgres://app:hunter2@db/app?pool=5&prepared_statements=false", "the parameter pool,",
		},
		"JDBC's parameters": {"postgres://app:hunter2@db/app?prepareThreshold=0", "the parameter preparethreshold"},
		"libpq's keepalives": {
			"postgres://app:hunter2@db/app?keepalives_idle=30", "Fanfare sets the keepalives of its connections itself",
		},
		"libpq's address": {"host=db hostaddr=10.0.0.1 password=hunter2", "write the address as the host instead"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := loadAll(t, nil, "--database-url", c.connection).Validate()
			switch {
			case c.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) ||
				!strings.Contains(err.Error(), "--database-url")):
				t.Errorf("got %v, want %q in it", err, c.want)
			case err != nil && strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

// TestForeignParametersOfStandbys checks that the URLs of standbys obey the same rules.
func TestForeignParametersOfStandbys(t *testing.T) {
	t.Parallel()
	const urls = "postgres://a:hunter2@b/d postgres://a:hunter2@b/d?pgbouncer=true"
	err := loadAll(t, databaseOnly, "--read-database-url", urls).Validate()
	if err == nil || !strings.Contains(err.Error(), "the parameter pgbouncer") ||
		strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want the parameter named, and no password", err)
	}
}
