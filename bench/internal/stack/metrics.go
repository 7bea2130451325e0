package stack

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Published reads the number of publications since the start of a Centrifugo from its metrics.
// apiURL is the URL of its server API.
func Published(ctx context.Context, apiURL string) (published int64, err error) {
	const counter, kind = "centrifugo_node_messages_sent_count{", `type="publication"`
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
		published += int64(n)
	}
	return published, lines.Err()
}
