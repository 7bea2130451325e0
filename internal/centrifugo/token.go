package centrifugo

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fanfarehq/fanfare/activity"
)

// MinTokenSecretBytes is the shortest secret that may sign tokens: the length of an HMAC-SHA256
// (RFC 7518, section 3.2).
const MinTokenSecretBytes = 32

// maxTokenTTL bounds how long a token lasts. A client refreshes its tokens, and each refresh asks
// anew what it may see.
const maxTokenTTL = 24 * time.Hour

// TokenOptions say how tokens are signed and how long they last. A zero field means its default.
type TokenOptions struct {
	// Secret is Centrifugo's token_hmac_secret_key (v6: client.token.hmac_secret_key), at least
	// MinTokenSecretBytes. There is no default.
	Secret string `json:"-"`
	// ConnectionTTL and SubscriptionTTL are how long tokens last: from 1 second to 24 hours;
	// default 5 minutes each.
	ConnectionTTL, SubscriptionTTL time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Format prints the options without the secret.
func (o TokenOptions) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "{connections %s, subscriptions %s, secret [redacted]}", o.ConnectionTTL, o.SubscriptionTTL)
}

// Tokens makes the JWTs by which clients connect to Centrifugo and subscribe to channels (HS256,
// read by v5 and v6 alike). Every one expires. It is safe for concurrent use, and never prints its
// secret. Its zero value is not usable.
type Tokens struct {
	secret                   []byte
	connection, subscription time.Duration
	now                      func() time.Time
}

// NewTokens checks the options and reports every mistake at once.
func NewTokens(o TokenOptions) (*Tokens, error) {
	var errs []error
	if len(o.Secret) < MinTokenSecretBytes {
		errs = append(
			errs,
			fmt.Errorf("token secret: is %d bytes long, at least %d are needed", len(o.Secret), MinTokenSecretBytes),
		)
	}
	for _, ttl := range []struct {
		of    string
		value *time.Duration
	}{{"connection", &o.ConnectionTTL}, {"subscription", &o.SubscriptionTTL}} {
		*ttl.value = cmp.Or(*ttl.value, 5*time.Minute)
		if *ttl.value < time.Second || *ttl.value > maxTokenTTL {
			errs = append(
				errs,
				fmt.Errorf("%s token lifetime %s: must be from 1s to %s", ttl.of, *ttl.value, maxTokenTTL),
			)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("centrifugo: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Tokens{
		secret:       []byte(o.Secret),
		connection:   o.ConnectionTTL,
		subscription: o.SubscriptionTTL,
		now:          o.Now,
	}, nil
}

// Connection returns a token by which a principal connects, as the Centrifugo user
// <tenant>.<principal>, and when it expires. Its own channel comes with the connection where
// Centrifugo subscribes users to their personal channel.
func (t *Tokens) Connection(p activity.Principal) (token string, expires time.Time) {
	return t.sign(p, t.connection, jwt.MapClaims{})
}

// Subscription returns a token by which that same user, and no other, subscribes to one channel,
// and when it expires. Whether the principal may is for the caller to know.
func (t *Tokens) Subscription(p activity.Principal, channel string) (token string, expires time.Time) {
	return t.sign(p, t.subscription, jwt.MapClaims{"channel": channel})
}

// sign adds to the claims what every token has. Times in tokens are whole seconds.
func (t *Tokens) sign(p activity.Principal, ttl time.Duration, claims jwt.MapClaims) (string, time.Time) {
	if len(t.secret) < MinTokenSecretBytes {
		panic("centrifugo: Tokens used without NewTokens")
	}
	now := t.now()
	expires := now.Add(ttl).Truncate(time.Second)
	claims["sub"] = p.TenantID.String() + "." + p.PrincipalID.String()
	claims["iat"] = now.Unix()
	claims["exp"] = expires.Unix()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(t.secret)
	if err != nil {
		panic("centrifugo: a token of text and numbers cannot be signed: " + err.Error())
	}
	return token, expires
}

// Format prints what is no secret.
func (t Tokens) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "centrifugo.Tokens")
}
