package centrifugo

import (
	"cmp"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// MinTokenSecretBytes is the minimum length of the secret that signs tokens: that of an HMAC-SHA256
// (RFC 7518, section 3.2).
const MinTokenSecretBytes = 32

// maxTokenTTL bounds the lifetime of a token. A client refreshes its tokens, and each refresh
// checks its permissions again.
const maxTokenTTL = 24 * time.Hour

// TokenOptions sets how tokens are signed and when they expire. A zero field is its default.
type TokenOptions struct {
	// Secret is Centrifugo's client.token.hmac_secret_key (v5: token_hmac_secret_key), at least
	// MinTokenSecretBytes. There is no default.
	Secret string `json:"-"`
	// ConnectionTTL and SubscriptionTTL are the lifetimes of tokens, from 1 second to 24 hours;
	// default 5 minutes.
	ConnectionTTL, SubscriptionTTL time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Format prints the options without the secret.
func (o TokenOptions) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "{connections %s, subscriptions %s, secret [redacted]}", o.ConnectionTTL, o.SubscriptionTTL)
}

// Tokens signs the JWTs with which clients connect to Centrifugo and subscribe to channels (HS256,
// for v5 and v6). Every token expires. Tokens is safe for concurrent use, and does not print its
// secret. The zero value is not usable.
type Tokens struct {
	secret                   []byte
	proofKey                 []byte
	connection, subscription time.Duration
	now                      func() time.Time
}

// NewTokens validates the options and returns the Tokens. Its error reports every violation.
func NewTokens(o TokenOptions) (*Tokens, error) {
	var errs []error
	if len(o.Secret) < MinTokenSecretBytes {
		errs = append(errs, fmt.Errorf("token secret: must have at least %d bytes, has %d",
			MinTokenSecretBytes, len(o.Secret)))
	}
	for _, ttl := range []struct {
		of    string
		value *time.Duration
	}{{"connection", &o.ConnectionTTL}, {"subscription", &o.SubscriptionTTL}} {
		*ttl.value = cmp.Or(*ttl.value, 5*time.Minute)
		if *ttl.value < time.Second || *ttl.value > maxTokenTTL {
			errs = append(errs,
				fmt.Errorf("%s token lifetime %s: must be from 1s to %s", ttl.of, *ttl.value, maxTokenTTL))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("centrifugo: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	proofKey, err := hkdf.Key(sha256.New, []byte(o.Secret), nil, "fanfare centrifugo connection", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("centrifugo: derive the key of proofs: %w", err)
	}
	return &Tokens{
		secret:       []byte(o.Secret),
		proofKey:     proofKey,
		connection:   o.ConnectionTTL,
		subscription: o.SubscriptionTTL,
		now:          o.Now,
	}, nil
}

// Connection returns a token with which a principal connects, as the Centrifugo user
// <tenant>.<principal>, and when it expires. Centrifugo can subscribe the connection to the
// personal channel. The metadata of the connection prove to [Tokens.Connected] who made it.
func (t *Tokens) Connection(p activity.Principal) (token string, expires time.Time) {
	return t.sign(p, t.connection, jwt.MapClaims{"meta": connectionMeta{t.proof(userOf(p))}})
}

// connectionMeta are the metadata of a connection, which Centrifugo passes on to its proxies.
type connectionMeta struct {
	Proof string `json:"proof"` // HMAC-SHA256 of the user, base64url
}

// proof returns the proof that a connection of the user was made with one of these tokens.
func (t *Tokens) proof(user string) string {
	mac := hmac.New(sha256.New, t.proofKey)
	mac.Write([]byte(user))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Connected returns the principal of a connection, of which Centrifugo reports the user and the
// metadata. It returns false unless the connection was made with a token of this secret.
func (t *Tokens) Connected(user string, meta []byte) (activity.Principal, bool) {
	var got connectionMeta
	if json.Unmarshal(meta, &got) != nil || !hmac.Equal([]byte(got.Proof), []byte(t.proof(user))) {
		return activity.Principal{}, false
	}
	tenant, principal, _ := strings.Cut(user, ".")
	tenantID, tenantErr := uuid.Parse(tenant)
	principalID, principalErr := uuid.Parse(principal)
	return activity.Principal{TenantID: tenantID, PrincipalID: principalID}, tenantErr == nil && principalErr == nil
}

// SubscriptionExpiry returns when a subscription token that is issued now expires.
func (t *Tokens) SubscriptionExpiry() time.Time {
	return t.now().Add(t.subscription).Truncate(time.Second)
}

// userOf returns the name of a principal as a user of Centrifugo.
func userOf(p activity.Principal) string { return p.TenantID.String() + "." + p.PrincipalID.String() }

// Subscription returns a token with which that user alone subscribes to one channel, and when it
// expires. The caller checks the principal's permission.
func (t *Tokens) Subscription(p activity.Principal, channel string) (token string, expires time.Time) {
	return t.sign(p, t.subscription, jwt.MapClaims{"channel": channel})
}

// sign adds the claims that every token has. Times in tokens are whole seconds.
func (t *Tokens) sign(p activity.Principal, ttl time.Duration, claims jwt.MapClaims) (string, time.Time) {
	if len(t.secret) < MinTokenSecretBytes {
		panic("centrifugo: Tokens used without NewTokens")
	}
	now := t.now()
	expires := now.Add(ttl).Truncate(time.Second)
	claims["sub"] = userOf(p)
	claims["iat"] = now.Unix()
	claims["exp"] = expires.Unix()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(t.secret)
	if err != nil {
		panic("centrifugo: a token was not signed: " + err.Error())
	}
	return token, expires
}

// Format prints the type without the secret.
func (t Tokens) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "centrifugo.Tokens")
}
