package centrifugo

import (
	"net/url"
	"strings"
)

// DefaultURLs are the URLs of the server API of a Centrifugo on this machine that is configured as
// in deploy/.
const DefaultURLs = "grpc://localhost:10000,http://localhost:9000/api"

// SplitURLs returns the elements of a list of URLs.
func SplitURLs(list string) []string {
	urls := strings.Split(list, ",")
	for i := range urls {
		urls[i] = strings.TrimSpace(urls[i])
	}
	return urls
}

// CheckURLs returns the rule that a list of URLs of Centrifugo's server API violates, or "".
func CheckURLs(list string) string {
	byHTTP := false
	for _, element := range SplitURLs(list) {
		u, err := url.Parse(element)
		switch {
		case err != nil:
			return "must be a URL, such as http://host:port/api, or several separated by commas"
		case IsGRPC(element):
			more := u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != ""
			if u.Hostname() == "" || u.Port() == "" || more {
				return "must have the form grpc://host:port or grpcs://host:port"
			}
		case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
			return "must have the form http://host:port/api or https://…, or grpc://host:port or grpcs://…"
		default:
			byHTTP = true
		}
	}
	if !byHTTP {
		return "must contain an HTTP URL, such as http://host:port/api, for what does not go by gRPC"
	}
	return ""
}

// IsGRPC reports whether a URL of Centrifugo's server API is one by gRPC.
func IsGRPC(address string) bool {
	return strings.HasPrefix(address, "grpc://") || strings.HasPrefix(address, "grpcs://")
}

// trimSlash removes a slash at the end of the path, under which Centrifugo serves no API.
func trimSlash(apiURL string) string {
	u, err := url.Parse(apiURL)
	if err != nil || u.RawQuery != "" {
		return apiURL
	}
	return strings.TrimRight(apiURL, "/")
}

// batchURL returns the endpoint for batches under a valid API URL.
func batchURL(apiURL string) string {
	u, err := url.Parse(apiURL)
	if err != nil {
		return apiURL
	}
	return u.JoinPath("batch").String()
}

// RedactedURL returns a URL without the parts that may be secret: user, query and fragment.
func RedactedURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the configured address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
