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

// apiInfo describes a Centrifugo by its own account.
type apiInfo struct {
	nodes    []string     // the ids of its nodes
	versions []string     // the distinct versions of its nodes
	batch    bool         // whether it supports batches, as versions from 5 do
	clock    clockReading // zero if its responses have no header Date
}

func apiFailure(d centrifugo.Diagnostic) finding { return failure(d.Detail, d.Remedy) }

// readInfo reads the nodes, and finds out whether the API supports batches.
func readInfo(ctx context.Context, o centrifugo.Options) (apiInfo, error) {
	var info apiInfo
	r := clockReading{before: time.Now()}
	response, body, err := post(ctx, o, "info", `{}`)
	if err != nil {
		return info, err
	}
	r.after = time.Now()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		r.first, r.last = date, date.Add(time.Second) // the header has second precision
		info.clock = r
	}
	var result struct {
		Result struct {
			Nodes []struct {
				UID     string `json:"uid"`
				Version string `json:"version"`
			} `json:"nodes"`
		} `json:"result"`
	}
	if err := json.Unmarshal(body, &result); err != nil || response.StatusCode != http.StatusOK {
		return info, fmt.Errorf("HTTP %d without a result", response.StatusCode)
	}
	for _, node := range result.Result.Nodes {
		info.nodes = appendNew(info.nodes, node.UID)
		info.versions = appendNew(info.versions, node.Version)
	}
	response, _, err = post(ctx, o, "batch", `{"commands":[]}`)
	if err != nil {
		return info, err
	}
	info.batch = response.StatusCode == http.StatusOK
	return info, nil
}

// post sends a command to the API and reads at most 1 MiB of the response.
func post(ctx context.Context, o centrifugo.Options, method, body string) (*http.Response, []byte, error) {
	u, err := url.Parse(o.APIURL)
	if err != nil {
		return nil, nil, errors.New("the URL is invalid")
	}
	request, err := http.NewRequestWithContext(
		ctx,
		http.MethodPost,
		u.JoinPath(method).String(),
		strings.NewReader(body),
	)
	if err != nil {
		return nil, nil, errors.New("the URL is invalid")
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
			err = about.Err // without the URL, which may contain a password
		}
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	result, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response, result, err
}

// minCentrifugo is the oldest supported major version.
const minCentrifugo = 5

func checkCentrifugoVersion(_ context.Context, x *examination) finding {
	return evaluateCentrifugoVersion(x.info.versions, x.info.batch)
}

// evaluateCentrifugoVersion goes by the version of each node, and by the support of batches,
// because a node may be built without a version (0.0.0).
func evaluateCentrifugoVersion(versions []string, batch bool) finding {
	remedy := fmt.Sprintf("upgrade Centrifugo to v%d or v%d", minCentrifugo, minCentrifugo+1)
	for _, version := range versions {
		major, err := strconv.Atoi(strings.TrimPrefix(version[:max(0, strings.IndexByte(version, '.'))], "v"))
		if err == nil && major > 0 && major < minCentrifugo {
			return failure(fmt.Sprintf("Centrifugo %s is too old", version), remedy)
		}
	}
	if !batch {
		return failure("Centrifugo is too old: its API does not support batches", remedy)
	}
	if len(versions) > 1 {
		return warning("the nodes run different versions: "+strings.Join(versions, ", "), "complete the upgrade")
	}
	return passed("Centrifugo %s supports batches", strings.Join(versions, ""))
}
