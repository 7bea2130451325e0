package stage

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
)

// maxControlBytes is the maximum size of a request to the control endpoint.
const maxControlBytes = 64 << 20

// serveControl serves the control endpoint: POST with a JSON object, which answers one. An error
// answers 500 with {"error": "…"}.
func (s *Stage) serveControl(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.ControlURL = "http://" + listener.Addr().String()
	mux := http.NewServeMux()
	control(mux, "info", s.info)
	control(mux, "world", s.NewWorld)
	control(mux, "token", s.token)
	control(mux, "code", s.code)
	control(mux, "service-token", s.serviceToken)
	control(mux, "sql", s.sql)
	control(mux, "record", s.record)
	control(mux, "load", s.load)
	control(mux, "settle", s.settle)
	control(mux, "centrifugo", s.switchCentrifugo)
	control(mux, "purge", s.purge)
	control(mux, "disconnect", s.disconnect)
	control(mux, "revoke", s.revoke)
	control(mux, "release", s.release)
	s.serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+s.Secret)) != 1 {
			answer(w, http.StatusUnauthorized, map[string]string{"error": "the stage's secret is required"})
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return nil
}

// control adds an operation whose request and response are JSON.
func control[In, Out any](mux *http.ServeMux, name string, do func(context.Context, In) (Out, error)) {
	mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
		var in In
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBytes))
		decoder.UseNumber()
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&in); err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		out, err := do(r.Context(), in)
		if err != nil {
			answer(w, http.StatusInternalServerError, map[string]string{"error": name + ": " + err.Error()})
			return
		}
		answer(w, http.StatusOK, out)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

type none struct{}

// Info describes a stage.
type Info struct {
	URL            string   `json:"url"`
	WebSocketURL   string   `json:"websocket_url"`
	DatabaseURL    string   `json:"database_url"`
	OperatorScopes []string `json:"operator_scopes"`
	ApplicationURL string   `json:"application_url"`
	EmbeddedURL    string   `json:"embedded_url"`
	ExamplesURL    string   `json:"examples_url"`
}

func (s *Stage) info(context.Context, none) (Info, error) {
	return Info{
		s.URL, s.WebSocketURL, s.DatabaseURL, OperatorScopes(), s.ApplicationURL, s.EmbeddedURL, s.ExamplesURL,
	}, nil
}

// who identifies a principal, with scopes.
type who struct {
	TenantID        uuid.UUID `json:"tenant_id"`
	PrincipalID     uuid.UUID `json:"principal_id"`
	Scopes          []string  `json:"scopes"`
	LifetimeSeconds float64   `json:"lifetime_seconds"`
}

func (x who) principal() activity.Principal {
	return activity.Principal{TenantID: x.TenantID, PrincipalID: x.PrincipalID}
}

func (x who) lifetime() time.Duration { return time.Duration(x.LifetimeSeconds * float64(time.Second)) }

func (s *Stage) token(_ context.Context, in who) (map[string]string, error) {
	token, err := s.Token(in.principal(), in.lifetime(), in.Scopes...)
	return map[string]string{"token": token}, err
}

func (s *Stage) serviceToken(ctx context.Context, in who) (map[string]string, error) {
	token, err := s.ServiceToken(ctx, in.principal(), in.Scopes...)
	return map[string]string{"token": token}, err
}

func (s *Stage) code(ctx context.Context, in who) (map[string]string, error) {
	code, err := s.Code(ctx, in.principal(), in.lifetime(), in.Scopes...)
	return map[string]string{"code": code, "url": s.Link(code)}, err
}

func (s *Stage) sql(ctx context.Context, in struct {
	SQL  string `json:"sql"`
	Args []any  `json:"args"`
},
) (map[string]any, error) {
	for i, arg := range in.Args {
		if n, ok := arg.(json.Number); ok {
			in.Args[i] = n.String()
		}
	}
	// Simple protocol: texts are values of any type.
	args := append([]any{pgx.QueryExecModeSimpleProtocol}, in.Args...)
	rows, err := s.pool.Query(ctx, in.SQL, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToMap)
	if list == nil {
		list = []map[string]any{}
	}
	for _, row := range list {
		for name, value := range row {
			if id, ok := value.([16]byte); ok {
				row[name] = uuid.UUID(id)
			}
		}
	}
	return map[string]any{"rows": list, "count": rows.CommandTag().RowsAffected()}, err
}

// recording is activities to record. Payloads are JSON texts, so that the digits of numbers are
// kept.
type recording struct {
	TenantID  uuid.UUID  `json:"tenant_id"`
	Envelopes []Envelope `json:"envelopes"`
	Backdated bool       `json:"backdated"`
	PerSecond int        `json:"per_second"` // of a load; 0 stops it
}

// read replaces payload_json of the envelopes by the payload.
func (r recording) read() error {
	for _, e := range r.Envelopes {
		text, ok := e["payload_json"].(string)
		if !ok {
			continue
		}
		if !json.Valid([]byte(text)) {
			return errors.New("payload_json is not JSON")
		}
		delete(e, "payload_json")
		e["payload"] = json.RawMessage(text)
	}
	return nil
}

func (s *Stage) record(ctx context.Context, in recording) (map[string]any, error) {
	if err := in.read(); err != nil {
		return nil, err
	}
	ids, err := s.Record(ctx, in.Envelopes, in.Backdated)
	return map[string]any{"ids": ids}, err
}

func (s *Stage) load(ctx context.Context, in recording) (map[string]any, error) {
	if err := in.read(); err != nil {
		return nil, err
	}
	if in.PerSecond == 0 && len(in.Envelopes) == 0 {
		n, err := s.StopLoad(in.TenantID)
		return map[string]any{"recorded": n}, err
	}
	return map[string]any{"recorded": 0}, s.StartLoad(ctx, in.TenantID, in.Envelopes, in.PerSecond)
}

func (s *Stage) settle(ctx context.Context, in who) (none, error) {
	ctx, cancel := context.WithTimeout(ctx, worldTimeout)
	defer cancel()
	return none{}, s.AwaitSettled(ctx, in.TenantID)
}

func (s *Stage) switchCentrifugo(ctx context.Context, in struct {
	On bool `json:"on"`
},
) (none, error) {
	if in.On {
		return none{}, s.Resume(ctx)
	}
	return none{}, s.Interrupt(ctx)
}

func (s *Stage) purge(ctx context.Context, in struct {
	who
	Channel string `json:"channel"` // "" selects the principal's own and the tenant's
},
) (none, error) {
	channels := []string{in.Channel}
	if in.Channel == "" {
		channels = s.channelsOf(in.principal())
	}
	for _, channel := range channels {
		if err := s.PurgeHistory(ctx, channel); err != nil {
			return none{}, err
		}
	}
	return none{}, nil
}

func (s *Stage) disconnect(ctx context.Context, in who) (none, error) {
	return none{}, s.Disconnect(ctx, in.principal())
}

func (s *Stage) revoke(ctx context.Context, in struct {
	who
	ResourceID uuid.UUID `json:"resource_id"`
},
) (map[string]int64, error) {
	n, err := s.RevokeRoles(ctx, in.principal(), in.ResourceID)
	return map[string]int64{"revoked": n}, err
}

func (s *Stage) release(ctx context.Context, in who) (none, error) {
	return none{}, s.Release(ctx, in.TenantID)
}
