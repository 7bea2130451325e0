// Package console serves the console, a single-page application that is built from web/ and
// embedded in the binary. It needs no other host and no file of the machine.
//
// Invariants:
//   - The Content-Security-Policy permits no inline script or style, and no connection but to the
//     server itself and to Centrifugo.
//   - A page of another origin frames the console, or gives it a JWT, only if the operator has
//     named the origin.
//   - The console has no right of its own: what it shows and changes goes through the API.
package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
)

// dist is what "make console" builds; dist/.keep alone if it has not been built.
//
//go:embed all:dist
var dist embed.FS

// Files returns the built files of one part, such as "console", "reference" or "widgets", with the
// paths that they have below it. It has none if the part is not built.
func Files(part string) fs.FS {
	files, err := fs.Sub(dist, "dist/"+part)
	if err != nil {
		panic("console: " + err.Error()) // the names of the parts are constant
	}
	return files
}

// Path is the path of the console; its files and its client-side routes are below it.
const Path = "/console/"

// Link returns the URL that signs a browser in with a code. The code is in the fragment, which
// browsers send to no server, so that it is in no log; the console removes it from the address.
func Link(consoleURL, code string) string { return consoleURL + "#code=" + code }

// Options configure a handler. The zero value serves a console without live updates that no other
// page may frame or keep a handle on.
type Options struct {
	// Files are the built files; nil are those of the binary.
	Files fs.FS
	// RealtimeURL is the WebSocket URL of Centrifugo for clients.
	RealtimeURL string
	// Origins are the web origins that may frame or open the console and give it a JWT by
	// postMessage.
	Origins []string
	// Version is the version of the program, which the console shows.
	Version string
	// Credentials are the kinds of credentials that the API accepts, as GET /v1/me names them.
	Credentials []string
}

// Config is what the console reads from config.json when it starts.
type Config struct {
	Version string `json:"version"`
	// Origins are the web origins from which the console accepts a JWT by postMessage.
	Origins []string `json:"origins"`
	// Credentials are the kinds of credentials that the API accepts.
	Credentials []string `json:"credentials"`
}

// configFile is the name of the file with the Config, below Path.
const configFile = "config.json"

// source matches an origin, as a Content-Security-Policy lists it.
var source = regexp.MustCompile(`^[a-z]+://[A-Za-z0-9._-]+(:[0-9]+)?$|^[a-z]+://\[[0-9a-fA-F:.]+\](:[0-9]+)?$`)

// Policy returns the Content-Security-Policy of a page (https://www.w3.org/TR/CSP3/) that connects
// to the origin of a WebSocket URL, which may be "", and that the origins may frame.
func Policy(realtimeURL string, origins []string) (string, error) {
	if realtimeURL == "" {
		return policy(nil, origins)
	}
	return policy([]string{realtimeURL}, origins)
}

// policy returns the Content-Security-Policy of a page that connects to the origins of URLs,
// besides its own.
func policy(connections, ancestors []string) (string, error) {
	connect, frames := "'self'", "'none'"
	for _, connection := range connections {
		scheme, rest, _ := strings.Cut(connection, "://")
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, "?")
		origin := scheme + "://" + host
		if !source.MatchString(origin) {
			return "", fmt.Errorf("the URL has no origin that a Content-Security-Policy can name: %q", origin)
		}
		connect += " " + origin
	}
	for _, origin := range ancestors {
		if !source.MatchString(origin) {
			return "", fmt.Errorf("%q is not an origin that a Content-Security-Policy can name", origin)
		}
	}
	if len(ancestors) > 0 {
		frames = strings.Join(ancestors, " ")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src " + connect + "; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors " + frames + "; require-trusted-types-for 'script'", nil
}

// openerPolicy returns the Cross-Origin-Opener-Policy. Each value but unsafe-none separates the
// console from a page of another origin that opens it, so that neither can send the other a message
// (https://html.spec.whatwg.org/multipage/browsers.html#matching-coop).
func openerPolicy(origins []string) string {
	if len(origins) > 0 {
		return "unsafe-none"
	}
	return "same-origin"
}

// permissions deny the features of browsers that the console does not use.
const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), usb=()"

// handler serves the files from memory: they are part of the binary.
type handler struct {
	path     string          // the prefix of the paths of the files
	files    map[string]file // by their path below it
	policy   string
	opener   string // the Cross-Origin-Opener-Policy
	notBuilt string // the page if there are no files
	views    bool   // a path that has no file is that of a view, which the index shows
}

// file is a file and the headers that depend on it.
type file struct {
	content   string
	mediaType string
	etag      string
	immutable bool // its name contains a hash of its content
}

// New returns the handler of the requests below Path.
func New(o Options) (http.Handler, error) {
	policy, err := Policy(o.RealtimeURL, o.Origins)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if o.Files == nil {
		o.Files = Files("console")
	}
	h := &handler{
		path: Path, files: map[string]file{}, policy: policy, opener: openerPolicy(o.Origins),
		notBuilt: notBuilt, views: true,
	}
	if err := h.load(o.Files); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	config, err := json.Marshal(Config{
		Version: o.Version, Origins: notNil(o.Origins), Credentials: notNil(o.Credentials),
	})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	h.files[configFile] = newFile(configFile, string(config))
	return h, nil
}

// load reads the files, except those whose names begin with a dot.
func (h *handler) load(files fs.FS) error {
	return fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the page is not built
		}
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		h.files[path] = newFile(path, string(content))
		return nil
	})
}

func newFile(path, content string) file {
	sum := sha256.Sum256([]byte(content))
	return file{
		content: content, mediaType: mediaTypeOf(path), etag: `"` + hex.EncodeToString(sum[:16]) + `"`,
		immutable: strings.HasPrefix(path, assets),
	}
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
