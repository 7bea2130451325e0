package database

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// What an operator does about a connection that is refused.
const (
	start     = "start PostgreSQL, or correct --database-url"
	unknownCA = "the CA of the server's certificate is not trusted: add sslrootcert=FILE with that of the CA to " +
		"--database-url, or sslrootcert=system if a public CA has issued it"
	otherName = "the server's certificate has other names than the host of --database-url: write one of them as the " +
		"host, or sslmode=verify-ca, which does not compare names"
	expired       = "the server's certificate is not valid now: renew it, or correct the clock of this machine"
	badServerCert = "the server's certificate cannot be verified: correct it on the server"
	badClientCert = "the server refuses the client's certificate: " + clientCert
	aborted       = "the server ended the connection: start it, or, if it requires client certificates, " + clientCert
	clientCert    = "sslcert and sslkey in --database-url must name one that is valid now and that a CA has issued " +
		"which the server trusts"
	noEncryption = "the server refuses connections without TLS: add sslmode=verify-full or sslmode=require to " +
		"--database-url, or allow the role in pg_hba.conf"
	noClientCert = "allow the role in pg_hba.conf; if the server requires a client certificate, add sslcert=FILE and " +
		"sslkey=FILE to --database-url, of a certificate whose name is the role's"
	negotiation = "change sslmode or channel_binding in --database-url to what the server offers"
	parameter   = "remove the parameter from --database-url, or correct it: the server, or a pooler before it, " +
		"refuses it"
)

// ConnectRemedy returns what an operator does about an error of connecting: about a server that is
// unreachable, TLS, certificates, and parameters of the connection string. It is "" for other
// errors, and for what the server says of the role, the database or its own state.
func ConnectRemedy(err error) string {
	connect, ok := errors.AsType[*pgconn.ConnectError](err)
	if !ok {
		return ""
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusalRemedy(server.Code, connect.Config)
	}
	if remedy := tlsRemedy(err); remedy != "" {
		return remedy
	}
	if encrypts(connect.Config) && isAborted(err) {
		return aborted
	}
	if _, ok := errors.AsType[net.Error](err); ok || connect.Config.TLSConfig == nil {
		return start
	}
	return negotiation
}

// refusalRemedy returns the remedy for an answer of the server, by its SQLSTATE
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func refusalRemedy(code string, config *pgconn.Config) string {
	switch code {
	case "28000": // invalid_authorization_specification
		if encrypts(config) {
			return noClientCert
		}
		return noEncryption
	case "08P01", // protocol_violation: PgBouncer's answer to a parameter that it does not pass on
		"22023", // invalid_parameter_value
		"42704", // undefined_object
		"55P02": // cant_change_runtime_param
		return parameter
	}
	return ""
}

// encrypts reports whether each attempt to connect uses TLS.
func encrypts(config *pgconn.Config) bool {
	encrypted := config.TLSConfig != nil
	for _, fallback := range config.Fallbacks {
		encrypted = encrypted && fallback.TLSConfig != nil
	}
	return encrypted
}

// isAborted reports whether the server ended the connection. In TLS 1.3 a client sends before the
// server has verified its certificate, so the reset of a server that refuses it may overtake the
// alert.
func isAborted(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// tlsRemedy returns the remedy for an error of the TLS handshake, or "".
func tlsRemedy(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return unknownCA
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return otherName
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return expired
		}
		return badServerCert
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return badServerCert
	}
	// crypto/tls reports an alert of the server as an error of the network with this operation.
	if network, ok := errors.AsType[*net.OpError](err); ok && network.Op == "remote error" {
		return badClientCert
	}
	return ""
}
