package stack

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// The counters of publications of a node: those that it was sent over its API or by a consumer, and
// those that it received from its broker.
const (
	sentPublications     = "centrifugo_node_messages_sent_count{"
	receivedPublications = "centrifugo_node_messages_received_count{"
)

// Published reads the number of publications since the start of a Centrifugo from its metrics.
// apiURL is the URL of its server API.
func Published(ctx context.Context, apiURL string) (int64, error) {
	return readPublications(ctx, apiURL, sentPublications)
}

// Received reads the number of publications that a Centrifugo has received from its broker since
// its start.
func Received(ctx context.Context, apiURL string) (int64, error) {
	return readPublications(ctx, apiURL, receivedPublications)
}

func readPublications(ctx context.Context, apiURL, counter string) (publications int64, err error) {
	const kind = `type="publication"`
	url := strings.TrimSuffix(apiURL, "/api") + "/metrics"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: HTTP %d", url, response.StatusCode)
	}
	// v5 has one series, v6 one for each namespace that has publications.
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		labels, value, found := strings.Cut(lines.Text(), "} ")
		if !found || !strings.HasPrefix(labels, counter) || !strings.Contains(labels, kind) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", url, err)
		}
		publications += int64(n)
	}
	return publications, lines.Err()
}
