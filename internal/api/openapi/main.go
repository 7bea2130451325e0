// Command openapi prints the OpenAPI document of the HTTP API, from which the types of the client
// are generated.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func main() {
	document, err := render(context.Background())
	if err == nil {
		_, err = os.Stdout.Write(document)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

// render returns the document, indented. It connects to no server.
func render(ctx context.Context) ([]byte, error) {
	pool, err := pgxpool.New(ctx, "postgres://localhost/fanfare") // dials on first use
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	authenticator, err := identity.New(identity.Options{TrustHeaders: true})
	if err != nil {
		return nil, err
	}
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{})
	if err != nil {
		return nil, err
	}
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: "no token is issued with this secret"})
	if err != nil {
		return nil, err
	}
	server, err := api.New(api.Options{
		Pool: pool, Authenticator: authenticator, Channels: channels, Tokens: tokens, Version: "1",
	})
	if err != nil {
		return nil, err
	}
	response := httptest.NewRecorder()
	server.Handler().ServeHTTP(response, httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/openapi.json", nil))
	if response.Code != http.StatusOK {
		return nil, fmt.Errorf("GET /v1/openapi.json: status %d", response.Code)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, response.Body.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}
