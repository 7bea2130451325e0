package centrifugo_test

import (
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

func TestCheckURLs(t *testing.T) {
	t.Parallel()
	const (
		none     = ""
		notURL   = "must be a URL"
		formGRPC = "must have the form grpc://host:port or grpcs://host:port"
		form     = "must have the form http://host:port/api or https://…"
		noHTTP   = "must contain an HTTP URL"
	)
	for list, want := range map[string]string{
		centrifugo.DefaultURLs:                    none,
		"http://localhost:9000/api":               none,
		"https://push.example/api?api_key=x":      none,
		"http://[::1]:9000/api":                   none,
		"grpcs://a:1, http://a/api ,http://b/api": none,

		"":                            form,
		"localhost:9000/api":          form,
		"http:///api":                 form,
		"http://:9000/api":            form,
		"ftp://a/api":                 form,
		"http://a/api,":               form,
		"http://a/api,http://a:port":  notURL,
		"grpc://a:1":                  noHTTP,
		"grpc://a,http://a/api":       formGRPC,
		"grpc://:10000,http://a/api":  formGRPC,
		"grpc://a:1/,http://a/api":    formGRPC,
		"grpc://u@a:1,http://a/api":   formGRPC,
		"grpc://a:1?b=c,http://a/api": formGRPC,
		"grpc://a:1#b,http://a/api":   formGRPC,
		"GRPC://a:1,http://a/api":     form,
	} {
		if got := centrifugo.CheckURLs(list); (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%q: got %q, want %q", list, got, want)
		}
	}
}
