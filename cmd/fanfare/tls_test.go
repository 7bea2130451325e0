package main

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// encryptedHBA is the access of a server that refuses plaintext, and that knows the role certified
// by its certificate alone.
const encryptedHBA = `
hostssl all certified 127.0.0.1/32 cert
hostssl all all       127.0.0.1/32 scram-sha-256
`

// encrypted is a cluster that requires TLS.
type encrypted struct {
	managed
	trusted, other authority
}

// newEncrypted starts a cluster whose certificate is for hosts and valid until a time.
func newEncrypted(t testing.TB, until time.Time, hosts ...string) encrypted {
	t.Helper()
	ca := newAuthority(t, "the CA")
	server := ca.issue(t, "server", until, hosts...)
	// The administrator comes by the first line, the roles of the test by the others.
	m := newManaged(t, devstack.PostgresOptions{
		Settings: map[string]string{
			"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key", "ssl_ca_file": "root.crt",
		},
		Files: map[string]string{
			"server.crt": server.certificate, "server.key": server.key, "root.crt": ca.pem,
			"pg_hba.conf": "host all postgres 127.0.0.1/32 scram-sha-256\n" + encryptedHBA,
		},
	})
	return encrypted{m, ca, newAuthority(t, "another CA")}
}

// parameters are those of a connection URL, by name.
type parameters map[string]string

// add returns a URL with parameters, and with another host if host is not "".
func add(t testing.TB, connection, host string, all parameters) string {
	t.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		t.Fatal("the URL does not parse")
	}
	if host != "" {
		u.Host = host + ":" + u.Port()
	}
	query := u.Query()
	query.Del("sslmode")
	for name, value := range all {
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// TestEncryptedConnections connects with each sslmode, with and without client certificates.
func TestEncryptedConnections(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	e := newEncrypted(t, later, "localhost", "127.0.0.1")
	plain, certified := e.role(t, "host"), e.role(t, "certified")
	ca, otherCA := file(t, e.trusted.pem), file(t, e.other.pem)
	client := func(a authority, name string, until time.Time) (certificate, key string) {
		i := a.issue(t, name, until)
		return file(t, i.certificate), file(t, i.key)
	}
	cert, key := client(e.trusted, "certified", later)
	strangerCert, strangerKey := client(e.trusted, "stranger", later)
	otherCert, otherKey := client(e.other, "certified", later)
	expiredCert, expiredKey := client(e.trusted, "certified", time.Now().Add(-time.Hour))

	for name, c := range map[string]struct {
		url, host string
		with      parameters
		want      []string // in the error; none if the connection works
	}{
		"the default":         {plain, "", parameters{}, nil},
		"require":             {plain, "", parameters{"sslmode": "require"}, nil},
		"require with the CA": {plain, "", parameters{"sslmode": "require", "sslrootcert": ca}, nil},
		"verify-ca":           {plain, "", parameters{"sslmode": "verify-ca", "sslrootcert": ca}, nil},
		"verify-full":         {plain, "localhost", parameters{"sslmode": "verify-full", "sslrootcert": ca}, nil},
		"channel binding": {
			plain, "", parameters{"sslmode": "verify-full", "sslrootcert": ca, "channel_binding": "require"}, nil,
		},
		"a client certificate": {
			certified, "", parameters{"sslmode": "verify-full", "sslrootcert": ca, "sslcert": cert, "sslkey": key}, nil,
		},

		"plaintext": {
			plain, "",
			parameters{"sslmode": "disable"},
			[]string{"no encryption", "the server refuses connections without TLS: add sslmode=verify-full"},
		},
		"plaintext with channel binding": {
			plain, "", parameters{"sslmode": "disable", "channel_binding": "require"}, []string{"no encryption"},
		},
		"another CA": {
			plain, "",
			parameters{"sslmode": "verify-ca", "sslrootcert": otherCA},
			[]string{"signed by unknown authority", "add sslrootcert=FILE"},
		},
		"another CA, require": {
			plain, "",
			parameters{"sslmode": "require", "sslrootcert": otherCA},
			[]string{"signed by unknown authority", "add sslrootcert=FILE"},
		},
		"the CA is not named": {
			plain, "localhost",
			parameters{"sslmode": "verify-full"},
			[]string{"signed by unknown authority", "add sslrootcert=FILE"},
		},
		"the system's CAs": {
			plain, "localhost",
			parameters{"sslrootcert": "system"},
			[]string{"signed by unknown authority", "add sslrootcert=FILE"},
		},
		"no client certificate": {
			certified, "",
			parameters{"sslmode": "verify-full", "sslrootcert": ca},
			[]string{"valid client certificate", "add sslcert=FILE and sslkey=FILE"},
		},
		"a client certificate of another role": {
			certified, "",
			parameters{"sslmode": "verify-full", "sslrootcert": ca, "sslcert": strangerCert, "sslkey": strangerKey},
			[]string{`certificate authentication failed for user "certified"`, "whose name is the role's"},
		},
		"a client certificate of another CA": {
			certified, "",
			parameters{"sslmode": "verify-full", "sslrootcert": ca, "sslcert": otherCert, "sslkey": otherKey},
			[]string{"client certificate", "sslcert=FILE"},
		},
		"an expired client certificate": {
			certified, "",
			parameters{"sslmode": "verify-full", "sslrootcert": ca, "sslcert": expiredCert, "sslkey": expiredKey},
			[]string{"certificate", "sslcert and sslkey in --database-url must name one that is valid now"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refusal(t, add(t, c.url, c.host, c.with), c.want)
		})
	}
}

// refusal checks the errors of a command and of doctor, which must contain texts and no password;
// without texts the connection must work.
func refusal(t *testing.T, connection string, want []string) {
	t.Helper()
	environ := map[string]string{"FANFARE_DATABASE_URL": connection}
	r := fanfare(t, environ, "migrate", "status")
	if len(want) == 0 {
		if r.code != exitOK {
			t.Errorf("got exit code %d and %q, want a connection", r.code, r.stderr)
		}
		return
	}
	t.Logf("%s", r.stderr)
	environ["FANFARE_CENTRIFUGO_API_KEY"] = "none"
	d := fanfare(t, environ, "doctor", "--json")
	var report doctor.Report
	if err := json.Unmarshal([]byte(d.stdout), &report); err != nil {
		t.Fatalf("%v: %s", err, d.stderr)
	}
	reachable := report.Diagnostics[0]
	if r.code != exitFailure || reachable.Status != doctor.Fail {
		t.Errorf("got exit code %d and %+v, want failures", r.code, reachable)
	}
	for from, text := range map[string]string{
		"the command": r.stderr, "doctor": reachable.Detail + ": " + reachable.Remedy,
	} {
		for _, each := range want {
			if !strings.Contains(text, each) {
				t.Errorf("%s: got %q, want %q in it", from, text, each)
			}
		}
		if strings.Contains(text, rolePassword) {
			t.Errorf("%s shows the password: %s", from, text)
		}
	}
}

// TestServerCertificates connects to servers whose certificates are not in order.
func TestServerCertificates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		until time.Duration
		host  string
		mode  string
		want  []string
	}{
		"expired": {
			-time.Hour, "127.0.0.1", "verify-full",
			[]string{"expired", "renew it, or correct the clock of this machine"},
		},
		"expired, verify-ca": {-time.Hour, "127.0.0.1", "verify-ca", []string{"expired", "renew it"}},
		"another name": {
			time.Hour, "db.example.com", "verify-full",
			[]string{"127.0.0.1", "write one of them as the host, or sslmode=verify-ca"},
		},
		"another name, verify-ca": {time.Hour, "db.example.com", "verify-ca", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEncrypted(t, time.Now().Add(c.until), c.host)
			all := parameters{"sslmode": c.mode, "sslrootcert": file(t, e.trusted.pem)}
			refusal(t, add(t, e.role(t, "host"), "", all), c.want)
		})
	}
}

// TestServerWithoutTLS requires TLS of a server that has none, and names parameters that it
// refuses.
func TestServerWithoutTLS(t *testing.T) {
	t.Parallel()
	m := newManaged(t, devstack.PostgresOptions{})
	connection := m.role(t, "host")
	for name, c := range map[string]struct {
		with parameters
		want []string
	}{
		"require": {
			parameters{"sslmode": "require"},
			[]string{"server refused TLS connection", "change sslmode or channel_binding"},
		},
		"an unknown parameter": {
			parameters{"sslmode": "disable", "application": "x"},
			[]string{`unrecognized configuration parameter "application"`, "remove the parameter from --database-url"},
		},
		"an invalid value": {
			parameters{"sslmode": "disable", "statement_timeout": "soon"},
			[]string{`"statement_timeout"`, "remove the parameter from --database-url, or correct it"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refusal(t, add(t, connection, "", c.with), c.want)
		})
	}
}

// TestEncryptedInstallation runs worker and API with a client certificate and verify-full.
func TestEncryptedInstallation(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	e, centrifugo := newEncrypted(t, later, "127.0.0.1"), startCentrifugo(t)
	client := e.trusted.issue(t, "certified", later)
	connection := add(t, e.role(t, "certified"), "", parameters{
		"sslmode": "verify-full", "sslrootcert": file(t, e.trusted.pem), "sslcert": file(t, client.certificate),
		"sslkey": file(t, client.key),
	})
	e.execute(t, documented(t, "CREATE ROLE fanfare_writer NOLOGIN;", "certified")...)
	must(t, map[string]string{"FANFARE_DATABASE_URL": connection}, "migrate", "up")
	w := newWorld(t, e.database(t, connection))
	e.isSound(t, doctorEnvironment(w.db, centrifugo))
	events := w.listen(t, centrifugo)
	d := startDaemon(t, environment(&pgtest.DB{URL: connection}, centrifugo), "run")
	recorded := w.record(t)
	if got := next(t, events, d).EventID; got != recorded.ID {
		t.Errorf("got event %s, want %s", got, recorded.ID)
	}
	d.serves(t, w)
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d, want 0\n%s", code, d.log)
	}
}
