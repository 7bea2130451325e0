package api

import (
	"net/http"
	"slices"
)

// Kind identifies a kind of problem: the last segment of its type URI. Kinds are stable, because
// clients decide by them.
type Kind string

// The kinds of problem.
const (
	Malformed            Kind = "malformed"
	InvalidCursor        Kind = "invalid-cursor"
	Unauthenticated      Kind = "unauthenticated"
	InsufficientScope    Kind = "forbidden"
	Inactive             Kind = "inactive"
	DeniedChannels       Kind = "denied-channels"
	CrossSite            Kind = "cross-site"
	NotFound             Kind = "not-found"
	MethodNotAllowed     Kind = "method-not-allowed"
	RequestTimeout       Kind = "request-timeout"
	BodyTooLarge         Kind = "body-too-large"
	URITooLong           Kind = "uri-too-long"
	UnsupportedMediaType Kind = "unsupported-media-type"
	InvalidField         Kind = "invalid-field"
	TooManyRequests      Kind = "too-many-requests"
	HeadersTooLarge      Kind = "headers-too-large"
	Internal             Kind = "internal"
	Unavailable          Kind = "unavailable"
	TenantMoving         Kind = "tenant-moving"
)

// kindInfo holds the texts that all problems of a kind share.
type kindInfo struct {
	kind   Kind
	status int
	title  string
	detail string // the default; an occurrence may have its own
}

// kinds lists the kinds in the order of their statuses.
func kinds() []kindInfo {
	return []kindInfo{
		{
			Malformed, http.StatusBadRequest, "Malformed request",
			"The request is not well-formed.",
		},
		{
			InvalidCursor, http.StatusBadRequest, "Invalid cursor",
			"A cursor is valid only for the list, the filter and the principal that it was issued for.",
		},
		{
			Unauthenticated, http.StatusUnauthorized, "Unauthenticated",
			"The request has no valid credentials.",
		},
		{
			InsufficientScope, http.StatusForbidden, "Insufficient scope",
			"The credentials do not carry the scope that this route requires.",
		},
		{
			Inactive, http.StatusForbidden, "Inactive principal",
			"The application has marked the principal as inactive.",
		},
		{
			DeniedChannels, http.StatusForbidden, "Channels denied",
			"No token was issued. The caller is not permitted to subscribe to the channels in denied_channels.",
		},
		{
			CrossSite, http.StatusForbidden, "Cross-site request",
			"A browser sent the request for a page of another origin, which is not among the allowed ones.",
		},
		{
			NotFound, http.StatusNotFound, "Not found",
			"The resource does not exist, or the caller is not permitted to see it.",
		},
		{
			MethodNotAllowed, http.StatusMethodNotAllowed, "Method not allowed",
			"The header Allow lists the methods that this path supports.",
		},
		{
			RequestTimeout, http.StatusRequestTimeout, "Request timeout",
			"The body did not arrive in time.",
		},
		{
			BodyTooLarge, http.StatusRequestEntityTooLarge, "Body too large",
			"The body exceeds the size limit.",
		},
		{
			URITooLong, http.StatusRequestURITooLong, "URI too long",
			"The path and the query exceed the length limit.",
		},
		{
			UnsupportedMediaType, http.StatusUnsupportedMediaType, "Unsupported media type",
			"The body must be application/json in UTF-8, without a content coding.",
		},
		{
			InvalidField, http.StatusUnprocessableEntity, "Validation failed",
			"Each entry of errors names a field and the rule that it violates.",
		},
		{
			TooManyRequests, http.StatusTooManyRequests, "Rate limited",
			"The principal has exceeded its request rate. Retry after the number of seconds in Retry-After.",
		},
		{
			HeadersTooLarge, http.StatusRequestHeaderFieldsTooLarge, "Headers too large",
			"The headers exceed the size limit.",
		},
		{
			Internal, http.StatusInternalServerError, "Internal error",
			"The request failed. The server's log contains the cause under this request_id.",
		},
		{
			Unavailable, http.StatusServiceUnavailable, "Service unavailable",
			"The server cannot handle the request at the moment. Retry it later.",
		},
		{
			TenantMoving, http.StatusServiceUnavailable, "Tenant is being moved",
			"The tenant is being moved to another database. Retry after the number of seconds in Retry-After.",
		},
	}
}

// infoOf returns the texts of a kind.
func infoOf(k Kind) kindInfo {
	all := kinds()
	return all[slices.IndexFunc(all, func(info kindInfo) bool { return info.kind == k })]
}

// kindOfStatus returns the first kind with a status. Other statuses from 500 map to Internal, the
// remaining ones to Malformed.
func kindOfStatus(status int) Kind {
	all := kinds()
	i := slices.IndexFunc(all, func(info kindInfo) bool { return info.status == status })
	switch {
	case i >= 0:
		return all[i].kind
	case status >= http.StatusInternalServerError:
		return Internal
	default:
		return Malformed
	}
}
