package config_test

import (
	"testing"

	"github.com/fanfarehq/fanfare/internal/config"
)

func TestConsoleAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ listen, url, want string }{
		{"127.0.0.1:8080", "", "http://127.0.0.1:8080/console/"},
		{":8080", "", "http://127.0.0.1:8080/console/"},
		{"0.0.0.0:8080", "", "http://127.0.0.1:8080/console/"},
		{"[::]:8080", "", "http://127.0.0.1:8080/console/"},
		{"[::1]:8080", "", "http://[::1]:8080/console/"},
		{"fanfare.internal:80", "", "http://fanfare.internal:80/console/"},
		{":8080", "https://fanfare.example.com/console", "https://fanfare.example.com/console/"},
		{":8080", "https://example.com/fanfare/console/", "https://example.com/fanfare/console/"},
	} {
		if got := (&config.Config{Listen: c.listen, ConsoleURL: c.url}).ConsoleAddress(); got != c.want {
			t.Errorf("%s, %q: got %s, want %s", c.listen, c.url, got, c.want)
		}
	}
}
