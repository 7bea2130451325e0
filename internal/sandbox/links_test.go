package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var linkPattern = regexp.MustCompile(`http://\S+/console/#code=\S+`)

// checkLinks signs in with two pairs of links, of Grace and of Ada, and with one again.
func checkLinks(t *testing.T, links []string) {
	t.Helper()
	if len(links) != 4 {
		t.Fatalf("got %d links, want two in the guide and two of its commands", len(links))
	}
	for i, link := range links {
		who, scopes := grace, []string{}
		if i%2 == 1 {
			who, scopes = ada, []string{"activity:write", "activity:admin", "installation:read"}
		}
		base, cookie := signIn(t, link, http.StatusNoContent)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Cookie", cookie)
		var me struct {
			PrincipalID string `json:"principal_id"`
			Scopes      []string
			Credential  string
		}
		answer := send(t, request, http.StatusOK)
		defer func() { _ = answer.Body.Close() }()
		if err := json.NewDecoder(answer.Body).Decode(&me); err != nil || me.PrincipalID != who.String() ||
			!slices.Equal(me.Scopes, scopes) || me.Credential != "session" {
			t.Errorf("link %d: got %+v, %v, want %s with %q", i, me, err, who, scopes)
		}
	}
	signIn(t, links[0], http.StatusUnauthorized)
}

// signIn exchanges the code of a link, and returns the origin of the API and the cookie.
func signIn(t *testing.T, link string, status int) (base, cookie string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	base = u.Scheme + "://" + u.Host
	body := fmt.Appendf(nil, `{"code":%q}`, strings.TrimPrefix(u.Fragment, "code="))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/v1/session", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer := send(t, request, status)
	defer func() { _ = answer.Body.Close() }()
	cookie, _, _ = strings.Cut(answer.Header.Get("Set-Cookie"), ";")
	return base, cookie
}

func send(t *testing.T, request *http.Request, status int) *http.Response {
	t.Helper()
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != status {
		t.Fatalf("%s %s: got %s, want %d", request.Method, request.URL, answer.Status, status)
	}
	return answer
}
