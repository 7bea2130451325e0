package config

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// console returns the settings of the console.
func console() []Setting {
	return []Setting{
		{
			"console", "true", "serve the console at /console/, and sign in to it with one-time links",
			boolean(func(c *Config) *bool { return &c.Console }),
		},
		consoleURL(),
		{
			"console-origins", "",
			"origins of web pages that may frame or open the console and give it a JWT, such as " +
				"https://app.example.com, as a comma-separated list",
			consoleOrigins(func(c *Config) *[]string { return &c.ConsoleOrigins }),
		},
		{
			"session-cookie", "",
			"name of a cookie of the application, on the same site, that contains its JWT; requests with it are " +
				"accepted from pages of the API's own origin only",
			sessionCookie(func(c *Config) *string { return &c.SessionCookie }),
		},
	}
}

// consoleURL is the setting of the console's address for its users.
func consoleURL() Setting {
	return Setting{
		"console-url", "",
		"URL of the console for its users, such as https://fanfare.example.com/console/; default: that of --listen",
		text("url", func(c *Config) *string { return &c.ConsoleURL }, consoleURLRule),
	}
}

// ConsoleLink returns the settings of fanfare console link.
func ConsoleLink() []Setting {
	listen := api()[0]
	listen.Usage = "address of the API, to which the link leads without --console-url"
	return append(Database(), listen, consoleURL())
}

// ConsoleAddress returns the URL of the console for its users: --console-url, or the address of
// --listen, of this machine if it is that of all networks.
func (c *Config) ConsoleAddress() string {
	if c.ConsoleURL != "" {
		return strings.TrimSuffix(c.ConsoleURL, "/") + "/"
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/console/"
}

func consoleURLRule(value string) string {
	u, err := url.Parse(value)
	switch {
	case value == "":
		return ""
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		u.RawQuery != "" || strings.Contains(value, "#"):
		return "must be an HTTP URL without a user, a query and a fragment, such as " +
			"https://fanfare.example.com/console/"
	}
	return ""
}

func consoleOrigins(at func(*Config) *[]string) field {
	f := origins(at)
	check := f.check
	f.check = func(c *Config) string {
		switch {
		case len(*at(c)) > 0 && !c.Console:
			return "requires --console"
		case slices.ContainsFunc(*at(c), func(origin string) bool { return strings.ContainsAny(origin, ";' ") }):
			return "must be origins that a Content-Security-Policy can name"
		}
		return check(c)
	}
	return f
}

// cookieName matches the name of a cookie (RFC 6265, section 4.1.1).
var cookieName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}$")

func sessionCookie(at func(*Config) *string) field {
	f := text("name", at, nil)
	f.check = func(c *Config) string {
		name := *at(c)
		switch {
		case name == "":
			return ""
		case !cookieName.MatchString(name):
			return "must be the name of a cookie: letters, digits and !#$%&'*+-.^_`|~"
		case slices.Contains(identity.SessionCookies(), name):
			return "must not be the name of the console's own cookie"
		case !c.AcceptsJWT():
			return "requires JWTs (--jwt-issuer, --jwt-audience and " + jwtKeySettings + ")"
		}
		return ""
	}
	return f
}
