// Package detectors describes the secrets that Fanfare does not store: a table of named detectors,
// and the patterns that package secrets and the database compose of them.
//
// The table is the only source. Package secrets compiles its matchers from it; go generate writes
// the migration with the database's matchers and the page docs/secrets.md; the tests hold every
// example in it against both matchers. To add a detector, add it to [All] and run
//
//	go generate ./activity/secrets
package detectors

// A Detector finds the secrets of one kind.
//
// Its patterns are regular expressions in the syntax that Go's regexp and PostgreSQL's advanced
// regular expressions have in common, without backslashes. A pattern may be an alternation.
//
// In an example, … stands for forty decimal digits. So the source holds nothing that looks like a
// real secret.
type Detector struct {
	Name  string // of the kind, unique
	Finds string // what it finds, as docs/secrets.md describes it

	// These match keys of a payload, regardless of the case of ASCII letters.

	Key      string // matches anywhere in a key
	KeyEnd   string // matches at the end of a key, before any characters that are not alphanumeric
	LastWord string // as KeyEnd, but no letter may precede it

	// These match texts, including payload keys.

	Text  string // matches anywhere, in the case that it is written in
	Token string // as Text, but no letter, digit or underscore may precede it

	// These match texts converted to lower case.

	Assigned string // a name with a value assigned to it, as in a query string, a setting or JSON
	Header   string // the end of an HTTP header's name, with a value behind a colon

	// Hints are strings in lower case. Every text and key that the detector matches contains one of
	// them in lower case, so that a search for the hints of all detectors finds out quickly that
	// none matches.
	Hints []string

	Keys     []string // keys that it matches
	NotKeys  []string // similar keys that no detector matches
	Texts    []string // texts that it matches
	NotTexts []string // similar texts that no detector matches
}

// All returns all detectors.
func All() []Detector {
	return []Detector{
		{
			Name:     "password",
			Finds:    "passwords, passphrases and passcodes",
			Key:      `password|passwd|passphrase|passcode`,
			Assigned: `password|passwd|passphrase|passcode`,
			Header:   `-password`,
			Hints:    []string{"pass"},
			Keys:     []string{"password", "PassWord", "new_password", "passwd", "passphrase", "passcode"},
			NotKeys:  []string{"passenger"},
			Texts: []string{
				"password=hunter2", `{"password":"hunter2"}`, `{"password": "hunter2"}`, `{\"password\":\"hunter2\"}`,
				`\\\"password\\\":\\\"hunter2\\\"`, `{"password":123456}`, `{"passphrase":"hunter2"}`,
				"X-Password: hunter2",
			},
			NotTexts: []string{"PASSWORD = hunter2", "the passenger: Ada"},
		},
		{
			Name:     "pwd",
			Finds:    "passwords abbreviated to pwd",
			LastWord: `pwd`,
			Assigned: `pwd`,
			Hints:    []string{"pwd"},
			Keys:     []string{"pwd", "db_pwd"},
			NotKeys:  []string{"upwd"},
			Texts:    []string{`{'pwd':'hunter2'}`},
			NotTexts: []string{"pwd prints the directory"},
		},
		{
			Name:     "secret",
			Finds:    "client secrets, and other secrets with this name",
			Key:      `secret`,
			Assigned: `secret`,
			Header:   `-secret`,
			Hints:    []string{"secret"},
			Keys:     []string{"secret", "client_secret", "secretary"},
			Texts:    []string{"client_secret=hunter2", "X-Client-Secret: hunter2"},
			NotTexts: []string{"an open secret"},
		},
		{
			Name:     "token",
			Finds:    "access tokens, and other tokens with this name",
			Key:      `(access|refresh|auth)[^a-z0-9]{0,2}token`,
			KeyEnd:   `token`,
			Assigned: `token`,
			Header:   `-token`,
			Hints:    []string{"token"},
			Keys: []string{
				"token", "access_token", "refreshToken", "token\n", "[token]", "access_tokens", "auth_token_value",
			},
			NotKeys: []string{"tokens", "token_count", "session_tokens", "to\u212Aen"}, // U+212A is the Kelvin sign
			Texts:   []string{"?access_token=abcdef", "X-Vault-Token: hunter2"},
			NotTexts: []string{
				`{"token_count":123456}`, "the token expired: ask for another", "next page token", "to\u212Aen=abcdef",
			},
		},
		{
			Name:     "key",
			Finds:    "API keys, private keys, access keys, signing keys and encryption keys",
			Key:      `(api|private|access|signing|encryption)[^a-z0-9]{0,2}key`,
			Assigned: `(api|access|account|private|signing|encryption)[-_. ]?key`,
			Header:   `api-key`,
			Hints:    []string{"key"},
			Keys: []string{
				"api_key", "apiKey", "api-key", "API.KEY", "x-api-key", "api--key", "api/key", "private_key",
				"access key", "signing_key", "encryption_key",
			},
			NotKeys:  []string{"key", "key_id", "monkey"},
			Texts:    []string{"AccountName=a;AccountKey=hunter2", `{"signing_key":"hunter2"}`, "x-api-key: abcdefgh"},
			NotTexts: []string{"keyboard", "sort key=name"},
		},
		{
			Name:     "authorization",
			Finds:    "HTTP authorization",
			Key:      `authori[sz]ation`,
			Assigned: `authori[sz]ation`,
			Header:   `authorization`,
			Hints:    []string{"authori"},
			Keys:     []string{"authorization", "authorisation"},
			NotKeys:  []string{"author", "authorized_by"},
			Texts:    []string{"Authorization: Basic …", `{"authorization":"Digest …"}`},
			NotTexts: []string{"authorization: none"},
		},
		{
			Name:     "credentials",
			Finds:    "credentials with this name",
			Key:      `credential`,
			Assigned: `credentials?`,
			Hints:    []string{"credential"},
			Keys:     []string{"credential", "credentials"},
			Texts:    []string{"credentials=hunter2"},
			NotTexts: []string{"the credentials expired"},
		},
		{
			Name:     "cookie",
			Finds:    "HTTP cookies",
			Key:      `cookie`,
			Assigned: `cookie`,
			Header:   `cookie`,
			Hints:    []string{"cookie"},
			Keys:     []string{"cookie", "set-cookie"},
			Texts:    []string{"Cookie: session=1"},
			NotTexts: []string{"cookies are on the table"},
		},
		{
			Name:     "jwt",
			Finds:    "JSON Web Tokens: by the name of their key, or by their first characters",
			LastWord: `jwt`,
			Token:    `eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_-]{8,}[.]`,
			Hints:    []string{"jwt", "eyj"},
			Keys:     []string{"jwt", "id.jwt"},
			NotKeys:  []string{"jwt_issuer"},
			Texts:    []string{"eyJ….….…"},
			NotTexts: []string{"eyJ….…", "heyJ….….…"},
		},
		{
			Name:     "bearer",
			Finds:    "bearer tokens (RFC 6750)",
			LastWord: `bearer`,
			Text:     `[Bb][Ee][Aa][Rr][Ee][Rr][ +]+[A-Za-z0-9._~+/=-]{12,}`,
			Hints:    []string{"bearer"},
			Keys:     []string{"bearer"},
			NotKeys:  []string{"forbearer"},
			Texts:    []string{"Bearer …", "bEaReR …"},
			NotTexts: []string{"the bearer of this letter"},
		},
		{
			Name:     "private key",
			Finds:    "private keys in PEM (RFC 7468)",
			Text:     `-----BEGIN [A-Z0-9 ]*PRIVATE KEY`,
			Hints:    []string{"key"},
			Texts:    []string{"-----BEGIN RSA PRIVATE KEY-----\nMIIE", "-----BEGIN PRIVATE KEY-----"},
			NotTexts: []string{"-----BEGIN PUBLIC KEY-----"},
		},
		{
			Name:  "URL password",
			Finds: "URLs with a password",
			Text:  `[A-Za-z0-9+.-]://[^/?# :]*:[^/?# @]+@`,
			Hints: []string{"://"},
			Texts: []string{
				"postgres://app:hunter2@db/app", "redis://:hunter2@cache", "HTTPS://APP:HUNTER2@DB",
				"smtp://ada@example.com:hunter2@mail",
			},
			NotTexts: []string{
				"https://ada@example.com:8080/x", "https://example.com:8080/a@b", "https://example.com/?a=b",
			},
		},
		{
			Name:     "AWS access key",
			Finds:    "access key ids of Amazon Web Services",
			Token:    `A[KS]IA[0-9A-Z]{16}`,
			Hints:    []string{"akia", "asia"},
			Texts:    []string{"AKIA…", "ASIA…"},
			NotTexts: []string{"NAKIA…", "from Asia, with love"},
		},
		{
			Name:     "GitHub token",
			Finds:    "tokens of GitHub",
			Token:    `gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}`,
			Hints:    []string{"ghp_", "gho_", "ghr_", "ghs_", "ghu_", "github_pat"},
			Texts:    []string{"ghp_…", "gho_…", "ghr_…", "ghs_…", "ghu_…", "github_pat_…"},
			NotTexts: []string{"ghx_…"},
		},
		{
			Name:     "GitLab token",
			Finds:    "tokens of GitLab",
			Token:    `glpat-[A-Za-z0-9_-]{16,}`,
			Hints:    []string{"glpat-"},
			Texts:    []string{"glpat-…"},
			NotTexts: []string{"glpat-1"},
		},
		{
			Name:     "Slack token",
			Finds:    "tokens of Slack",
			Token:    `xox[a-z]-[A-Za-z0-9-]{10,}`,
			Hints:    []string{"xox"},
			Texts:    []string{"xoxb-…"},
			NotTexts: []string{"xoxo-xoxo"},
		},
		{
			Name:     "Stripe key",
			Finds:    "keys and webhook secrets of Stripe",
			Token:    `[rs]k_(live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{16,}`,
			Hints:    []string{"k_live", "k_test", "whsec"},
			Texts:    []string{"sk_live_…", "rk_test_…", "whsec_…"},
			NotTexts: []string{"task_test_…"},
		},
		{
			Name:     "sk- key",
			Finds:    "API keys that begin with sk-, such as those of OpenAI and Anthropic",
			Token:    `sk-[A-Za-z0-9_-]{20,}`,
			Hints:    []string{"sk-"},
			Texts:    []string{"sk-…"},
			NotTexts: []string{"task-…"},
		},
		{
			Name:     "Google API key",
			Finds:    "API keys of Google",
			Token:    `AIza[A-Za-z0-9_-]{30,}`,
			Hints:    []string{"aiza"},
			Texts:    []string{"AIza…"},
			NotTexts: []string{"aiza…"},
		},
		{
			Name:     "npm token",
			Finds:    "tokens of npm",
			Token:    `npm_[A-Za-z0-9]{30,}`,
			Hints:    []string{"npm_"},
			Texts:    []string{"npm_…"},
			NotTexts: []string{"npm_config_registry"},
		},
		{
			Name:     "Hugging Face token",
			Finds:    "tokens of Hugging Face",
			Token:    `hf_[A-Za-z0-9]{30,}`,
			Hints:    []string{"hf_"},
			Texts:    []string{"hf_…"},
			NotTexts: []string{"chf_…"},
		},
		{
			Name:     "SendGrid key",
			Finds:    "API keys of SendGrid",
			Token:    `SG[.][A-Za-z0-9_-]{16,}[.][A-Za-z0-9_-]{16,}`,
			Hints:    []string{"sg."},
			Texts:    []string{"SG.….…"},
			NotTexts: []string{"SG.…", "MSG.….…"},
		},
		{
			Name:     "DigitalOcean token",
			Finds:    "tokens of DigitalOcean",
			Token:    `dop_v1_[0-9a-f]{32,}`,
			Hints:    []string{"dop_v"},
			Texts:    []string{"dop_v1_…"},
			NotTexts: []string{"dop_v2_…"},
		},
		{
			Name:     "Shopify token",
			Finds:    "tokens of Shopify",
			Token:    `shp(at|ca|pa|ss)_[0-9a-fA-F]{32}`,
			Hints:    []string{"shp"},
			Texts:    []string{"shpat_…", "shpca_…", "shppa_…", "shpss_…"},
			NotTexts: []string{"shpxx_…"},
		},
	}
}
