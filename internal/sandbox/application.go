package sandbox

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/console/application"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
)

// The JWTs of the example application.
const (
	jwtIssuer   = "example-application"
	jwtAudience = "fanfare"
	jwtLifetime = 2 * time.Minute // short, so that one sees that pages go on

	readHeaderTimeout = 5 * time.Second
	commentTimeout    = 10 * time.Second
)

// listenApplication chooses the address of the example application, whose origin the API's settings
// name.
func (s *sandbox) listenApplication(ctx context.Context) (err error) {
	s.application, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err == nil {
		s.applicationURL = "http://" + s.application.Addr().String()
		s.stops = append(s.stops, func(context.Context) error {
			_ = s.application.Close() // usually closed by its server
			return nil
		})
	}
	return err
}

// serveApplication serves the example application until ctx ends.
func (s *sandbox) serveApplication(ctx context.Context) error {
	session := application.Session{
		TenantID: tenant, User: application.Named{ID: grace, Name: "Grace Lim"},
		Colleague: application.Named{ID: ada, Name: "Ada Okafor"},
		Project:   application.Named{ID: project, Name: "Apollo"},
	}
	handler, err := application.New(application.Options{
		Files: s.options.Examples, Host: s.application.Addr().String(),
		APIURL: strings.TrimSuffix(s.apiURL, "/v1"), RealtimeURL: s.webSocketURL,
		Session: func(*http.Request) (application.Session, error) { return session, nil },
		Token: func(*http.Request, application.Session) (string, time.Duration, error) {
			token, err := signToken(s.jwtSecret, time.Now())
			return token, jwtLifetime, err
		},
		Comment: s.comment,
	})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: readHeaderTimeout}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(s.application); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// signToken returns a JWT of Grace.
func signToken(secret string, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": jwtIssuer, "aud": jwtAudience, "iat": now.Unix(), "exp": now.Add(jwtLifetime).Unix(),
		"tenant_id": tenant, "sub": grace,
	}).SignedString([]byte(secret))
}

// comment adds a comment of Ada and records that, in one transaction, as a service does.
func (s *sandbox) comment(ctx context.Context, session application.Session, text string) error {
	ctx, cancel := context.WithTimeout(ctx, commentTimeout)
	defer cancel()
	return pg.WithConn(ctx, s.serviceURL, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			id := uuid.New()
			_, err := tx.Exec(ctx, `INSERT INTO comments (id, project_id, text) VALUES ($1, $2, $3)`,
				id, session.Project.ID, text)
			if err != nil {
				return err
			}
			_, err = outbox.Record(ctx, tx, activity.Envelope{
				TenantID: session.TenantID, ActorPrincipalID: session.Colleague.ID,
				ResourceID: session.Project.ID, ResourceType: "project", Action: "comment.created",
				Message: text, Payload: map[string]any{"comment_id": id},
			})
			return err
		})
	})
}
