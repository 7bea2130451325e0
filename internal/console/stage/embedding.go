package stage

import (
	"net/http"

	"github.com/fanfarehq/fanfare/internal/console"
)

// application is the page of an application that embeds the console. Tests add to it.
const application = `<!doctype html>
<html lang="en">
<title>Application</title>
<link rel="icon" href="data:,">
<h1>Application</h1>
`

// serveEmbedding serves an application, and the API and the console as a daemon with the
// application's origin in --console-origins does. The two are different sites to a browser.
func (s *Stage) serveEmbedding(api http.Handler) {
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.Handle(console.Path, consoleFiles(console.Options{
		Files: s.options.Dist, RealtimeURL: s.WebSocketURL, Origins: []string{s.ApplicationURL}, Version: "stage",
		Credentials: []string{"jwt"},
	}))
	s.serve(s.embedded, mux)
	s.serve(s.application, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(application)) // fails only if the client has disconnected
	}))
}
