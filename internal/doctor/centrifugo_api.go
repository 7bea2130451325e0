package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// apiInfo is what Centrifugo says of itself.
type apiInfo struct {
	versions []string // of its nodes, each once
	batch    bool     // whether it takes batches, as versions from 5 on do
	clock    reading  // zero when its answers bear no date
}

func apiReachable(ctx context.Context, x *examination) verdict {
	if problems := x.problems(ctx); len(problems) > 0 {
		return apiTrouble(problems[0])
	}
	info, err := readInfo(ctx, x.API)
	if err != nil {
		return fail(
			"Centrifugo's description of itself cannot be read: "+err.Error(),
			"correct --centrifugo-api-url, which usually ends in /api",
		)
	}
	x.info = info
	return fine("Centrifugo's API at %s takes our key", shownURL(x.API.APIURL))
}

// problems asks twice when there are any, so that a hiccup is no alarm.
func (x *examination) problems(ctx context.Context, namespaces ...string) []centrifugo.Problem {
	if len(x.api.Check(ctx, namespaces...)) == 0 {
		return nil
	}
	return x.api.Check(ctx, namespaces...)
}

// apiTrouble parts a problem, whose text ends in what to do about it, behind the last colon.
func apiTrouble(p centrifugo.Problem) verdict {
	text := strings.TrimSuffix(p.Text, ".")
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return fail(text[:i], text[i+2:])
	}
	return fail(text, "see Centrifugo's log")
}

// readInfo asks for the nodes, and whether there is an endpoint for batches.
func readInfo(ctx context.Context, o centrifugo.Options) (apiInfo, error) {
	var info apiInfo
	r := reading{before: time.Now()}
	response, body, err := post(ctx, o, "info", `{}`)
	if err != nil {
		return info, err
	}
	r.after = time.Now()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		r.first, r.last = date, date.Add(time.Second) // it is given in whole seconds
		info.clock = r
	}
	var answer struct {
		Result struct {
			Nodes []struct {
				Version string `json:"version"`
			} `json:"nodes"`
		} `json:"result"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || response.StatusCode != http.StatusOK {
		return info, fmt.Errorf("HTTP %d, and not the answer of an API", response.StatusCode)
	}
	for _, node := range answer.Result.Nodes {
		info.versions = appendNew(info.versions, node.Version)
	}
	response, _, err = post(ctx, o, "batch", `{"commands":[]}`)
	if err != nil {
		return info, err
	}
	info.batch = response.StatusCode == http.StatusOK
	return info, nil
}

// post calls a method of the API and reads at most a mebibyte of the answer.
func post(ctx context.Context, o centrifugo.Options, method, body string) (*http.Response, []byte, error) {
	u, err := url.Parse(o.APIURL)
	if err != nil {
		return nil, nil, errors.New("the address cannot be read")
	}
	request, err := http.NewRequestWithContext(
		ctx,
		http.MethodPost,
		u.JoinPath(method).String(),
		strings.NewReader(body),
	)
	if err != nil {
		return nil, nil, errors.New("the address cannot be read")
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	if o.APIKey != "" {
		request.Header.Set("Authorization", "apikey "+o.APIKey)
	}
	client := http.Client{
		Transport:     &http.Transport{Proxy: o.Proxy, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		var about *url.Error
		if errors.As(err, &about) {
			err = about.Err // the rest of it is the URL, perhaps with a password
		}
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response, answer, err
}

// oldestCentrifugo is the oldest major version that Fanfare speaks to.
const oldestCentrifugo = 5

func centrifugoVersion(_ context.Context, x *examination) verdict {
	return judgeCentrifugo(x.info.versions, x.info.batch)
}

// judgeCentrifugo goes by the version of each node, or, where a node was built without one (0.0.0),
// by what it can do.
func judgeCentrifugo(versions []string, batch bool) verdict {
	remedy := fmt.Sprintf("upgrade it to v%d or v%d", oldestCentrifugo, oldestCentrifugo+1)
	for _, version := range versions {
		major, err := strconv.Atoi(strings.TrimPrefix(version[:max(0, strings.IndexByte(version, '.'))], "v"))
		if err == nil && major > 0 && major < oldestCentrifugo {
			return fail(fmt.Sprintf("Centrifugo %s is too old", version), remedy)
		}
	}
	if !batch {
		return fail("Centrifugo's API takes no batches, so it is too old", remedy)
	}
	if len(versions) > 1 {
		return warn("the nodes run different versions: "+strings.Join(versions, ", "), "finish the upgrade")
	}
	return fine("Centrifugo %s takes batches", strings.Join(versions, ""))
}

// shownURL is a URL without what may be secret in it.
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the configured address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
