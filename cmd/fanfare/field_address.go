package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

func httpURL(at func(*Config) *string) field {
	f := text("url", at, func(value string) string {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "must read http://host:port/api or https://…"
		}
		return ""
	})
	f.show = func(c *Config) string { return shownURL(*at(c)) }
	return f
}

// shownURL is a URL without what may be secret in it.
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return redacted
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "redacted")
	}
	if u.RawQuery != "" {
		u.RawQuery = "redacted"
	}
	return u.String()
}

// channelFormat is a template of channel names. kind is centrifugo's word for it.
func channelFormat(kind string, at func(*Config) *string) field {
	return field{
		kind:  "template",
		parse: func(c *Config, text string) string { *at(c) = text; return "" },
		check: func(c *Config) string { return formatRule(kind, c.formats()) },
		show:  func(c *Config) string { return *at(c) },
	}
}

// formats are the templates of the channel names.
func (c *Config) formats() centrifugo.Formats {
	return centrifugo.Formats{User: c.ChannelUser, Resource: c.ChannelResource, Tenant: c.ChannelTenant}
}

// formatRule returns the rule that one kind of template breaks, by itself or with the others.
func formatRule(kind string, f centrifugo.Formats) string {
	templates := map[string]string{"user": f.User, "resource": f.Resource, "tenant": f.Tenant}
	if templates[kind] == "" {
		return "must not be empty"
	}
	_, err := centrifugo.ParseFormats(f)
	if broken := formatErrors(err); len(broken) > 0 {
		for _, e := range broken {
			if e.Format == kind {
				return e.Rule
			}
		}
		return ""
	}
	own, _, _ := strings.Cut(templates[kind], ":")
	for _, other := range []string{"user", "resource", "tenant"} {
		if namespace, _, _ := strings.Cut(templates[other], ":"); other != kind && namespace == own {
			return fmt.Sprintf("must have a namespace of its own: --channel-%s has %q too", other, own)
		}
	}
	return ""
}

// formatErrors finds all the *centrifugo.FormatErrors that are joined in err.
func formatErrors(err error) []*centrifugo.FormatError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var found []*centrifugo.FormatError
		for _, part := range joined.Unwrap() {
			found = slices.Concat(found, formatErrors(part))
		}
		return found
	}
	var one *centrifugo.FormatError
	if errors.As(err, &one) {
		return []*centrifugo.FormatError{one}
	}
	return nil
}
