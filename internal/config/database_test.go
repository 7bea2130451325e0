package config

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzRedactDatabaseURL surrounds a password with text that is not percent-encoded.
func FuzzRedactDatabaseURL(f *testing.F) {
	for _, around := range [][2]string{
		{"", ""},
		{"x@", ""},
		{"", "@"},
		{"5/", ""},
		{"@", "/"},
		{"@", "?"},
		{"/", "@x/"},
		{"?", ""},
		{"5?dbname=", ""},
		{"#", ""},
		{"[", "]"},
		{"%40", "%"},
	} {
		f.Add(around[0], around[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const password = "hunter2"
		for _, connection := range []string{
			"postgres://u:" + before + password + after + "@127.0.0.1:1/d",
			"postgres://u@127.0.0.1:1/d?password=" + url.QueryEscape(before+password+after),
		} {
			c := &Config{DatabaseURL: connection}
			f := Database()[0].field
			if shown := f.show(c) + f.check(c); strings.Contains(shown, password) {
				t.Errorf("%q is shown as %q", connection, shown)
			}
		}
	})
}
