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
	LastWord string // words of which a key ends with one, as db_pwd and dbPwd end with pwd

	// As KeyEnd and LastWord, for names that are as often those of counts and ids: the value of
	// such a key is a secret unless it is a number, true, false, null or a UUID.

	TextKeyEnd   string
	TextLastWord string

	// These match texts, including payload keys.

	Text  string // matches anywhere, in the case that it is written in
	Token string // as Text, but no letter, digit or underscore may precede it

	// These match texts converted to lower case.

	Lower    string // matches anywhere
	Assigned string // a name with a value assigned to it, as in a query string, a setting or JSON
	Header   string // the end of an HTTP header's name, with a value behind a colon

	// Hints are strings in lower case. Every text and key that the detector matches contains one of
	// them in lower case, so that a search for the hints of all detectors finds out quickly that
	// none matches.
	Hints []string

	Keys     []string // keys that it matches
	TextKeys []string // keys that it matches for a text as value
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
			Key:      `password|passwd|passphrase|passcode|passkey`,
			Assigned: `password|passwd|passphrase|passcode|passkey`,
			Header:   `-password`,
			Hints:    []string{"pass"},
			Keys:     []string{"password", "PassWord", "new_password", "passwd", "passphrase", "passcode", "passkey"},
			NotKeys:  []string{"passenger"},
			Texts: []string{
				"password=hunter2", `{"password":"hunter2"}`, `{"password": "hunter2"}`, `{\"password\":\"hunter2\"}`,
				`\\\"password\\\":\\\"hunter2\\\"`, `{"password":123456}`, `{"passphrase":"hunter2"}`,
				"X-Password: hunter2",
			},
			NotTexts: []string{"PASSWORD = hunter2", "the passenger: Ada"},
		},
		{
			Name:         "pass",
			Finds:        "passwords abbreviated to pass",
			TextLastWord: `pass`,
			Assigned:     `(^|[^a-z])pass`,
			Hints:        []string{"pass"},
			TextKeys:     []string{"pass", "db_pass", "smtpPass", "DB_PASS", "pass:"},
			NotKeys:      []string{"compass", "bypass", "passes", "pass_rate", "passed"},
			Texts:        []string{"user=ada&pass=hunter2", `{"pass":"hunter2"}`},
			NotTexts:     []string{"bypass=true", "the checks pass: 12 of 12", "a boarding pass"},
		},
		{
			Name:     "pwd",
			Finds:    "passwords abbreviated to pwd or pw",
			LastWord: `pwd|pw`,
			Assigned: `pwd|(^|[^a-z])pw`,
			Hints:    []string{"pw"},
			Keys:     []string{"pwd", "db_pwd", "userPwd", "userPWD", "pw", "db_pw", "adminPw"},
			NotKeys:  []string{"upwd", "pwdx", "power", "upw"},
			Texts:    []string{`{'pwd':'hunter2'}`, "userPwd=hunter2", "pw=hunter2"},
			NotTexts: []string{"pwd prints the directory", "upw=hunter2"},
		},
		{
			Name:     "one-time password",
			Finds:    "one-time passwords, and codes that confirm or recover an account",
			Key:      `(otp|mfa|2fa|verification|recovery|backup)[^a-z0-9]{0,2}code`,
			LastWord: `otp|totp`,
			Assigned: `(^|[^a-z])t?otp`,
			Hints:    []string{"otp", "mfa", "2fa", "verification", "recovery", "backup"},
			Keys:     []string{"otp", "login_otp", "userOtp", "totp", "mfa_code", "recoveryCodes", "verification-code"},
			NotKeys:  []string{"hotpot", "otpauth_issuer", "code", "zip_code", "mfa"},
			Texts:    []string{"otp=123456", `{"otp":123456}`},
			NotTexts: []string{"an OTP was sent", "laptop=abcdef"},
		},
		{
			Name:       "session",
			Finds:      "session ids, and the session cookies of common servers",
			TextKeyEnd: `sess(ion)?[^a-z0-9]{0,2}ids?`,
			Assigned:   `sess(ion)?[-_. ]?id|connect[.]sid`,
			Header:     `-session-id`,
			Hints:      []string{"sess", "connect.sid"},
			TextKeys:   []string{"sessionId", "session_id", "session-ids", "JSESSIONID", "PHPSESSID", "sess_id"},
			NotKeys:    []string{"session", "session_count", "session_idle", "obsession"},
			Texts: []string{
				"JSESSIONID=0123abcd", `{"session_id":"hunter2"}`, "connect.sid=s%3Ahunter2", "X-Session-Id: hunter2",
			},
			NotTexts: []string{"the session ended", "session id unknown"},
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
			Name:       "token",
			Finds:      "access tokens, and other tokens with this name",
			Key:        `(access|refresh|auth)[^a-z0-9]{0,2}token`,
			KeyEnd:     `token`,
			TextKeyEnd: `tokens`,
			Assigned:   `token`,
			Header:     `-token`,
			Hints:      []string{"token"},
			Keys: []string{
				"token", "access_token", "refreshToken", "token\n", "[token]", "access_tokens", "auth_token_value",
			},
			TextKeys: []string{"tokens", "session_tokens", "deviceTokens"},
			NotKeys:  []string{"token_count", "tokenizer", "to\u212Aen"}, // U+212A is the Kelvin sign
			Texts:    []string{"?access_token=abcdef", "X-Vault-Token: hunter2"},
			NotTexts: []string{
				`{"token_count":123456}`, "the token expired: ask for another", "next page token", "to\u212Aen=abcdef",
			},
		},
		{
			Name:  "key",
			Finds: "API keys, private keys, access keys, SSH keys, master keys and others that sign or encrypt",
			Key: `(api|private|access|account|sign|signing|encryption|decryption|ssh|master|shared|symmetric|hmac|` +
				`aes|rsa|pgp|gpg|host|deploy|session|client|root|recovery|subscription|auth|webhook)[^a-z0-9]{0,2}key`,
			Assigned: `(api|access|account|private|signing|encryption|ssh|master|shared|subscription|auth)[-_. ]?key`,
			Header:   `(api|auth|master|access|subscription|functions|shared)-key`,
			Hints:    []string{"key"},
			Keys: []string{
				"api_key", "apiKey", "api-key", "API.KEY", "x-api-key", "api--key", "api/key", "private_key",
				"access key", "signing_key", "encryption_key", "sshKey", "ssh_keys", "masterKey",
				"storage_account_key", "hmac-key", "client-key-data", "Ocp-Apim-Subscription-Key",
			},
			NotKeys: []string{"key", "key_id", "monkey", "keyboard", "storage_key", "ssh_public_key", "primary_key"},
			Texts: []string{
				"AccountName=a;AccountKey=hunter2", `{"signing_key":"hunter2"}`, "x-api-key: abcdefgh",
				"masterKey=hunter2", "x-functions-key: hunter2",
			},
			NotTexts: []string{"keyboard", "sort key=name", "a master key: ask"},
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
			Name:  "HTTP credentials",
			Finds: "credentials of the schemes Basic (RFC 7617), Negotiate and NTLM",
			// The base64 of ASCII characters, which few words of a language look like; base64 with
			// padding; or much of it.
			Text: `[Bb][Aa][Ss][Ii][Cc][ +]+(` +
				`([A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/]){2,}|` +
				`[A-Za-z0-9+/]{6,}=|[A-Za-z0-9]{24,})|([Nn][Ee][Gg][Oo][Tt][Ii][Aa][Tt][Ee]|[Nn][Tt][Ll][Mm]) +` +
				`[A-Za-z0-9+/]{24,}`,
			Hints: []string{"basic", "negotiate", "ntlm"},
			Texts: []string{
				"Basic …", "Basic dXNlcjpodW50ZXIy", "basic YWRhOmh1bnRlcjI=", "BASIC YTpodW50ZXIy", "Negotiate …",
				"NTLM …",
			},
			NotTexts: []string{
				"Basic authentication", "basic knowledge of JavaScript", "Basic understanding of thermodynamics",
				"Negotiate internationalization", "BASIC HTML5 course", "basic: dXNlcjpodW50ZXIy",
			},
		},
		{
			Name:     "private key",
			Finds:    "private keys in PEM (RFC 7468)",
			Text:     `-----BEGIN [A-Z0-9 ]*PRIVATE KEY`,
			Hints:    []string{"-----begin"},
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
			Name:  "URL token",
			Finds: "web addresses with a token as user",
			Lower: `https?://[^/?# :@]*([a-z0-9_.~%-]{20}|[0-9][a-z0-9_-]{11,})@`,
			Hints: []string{"://"},
			Texts: []string{"https://…@github.com/acme/app.git", "git+https://a1b2c3d4e5f6a7b8@git.example.com/app"},
			NotTexts: []string{
				"https://ada@example.com/x", "ssh://git@github.com/acme/app", "https://example.com/@ada",
				"https://acme-engineering@dev.azure.com/app",
				"https://example.com/a?mail=a-very-long-address-2026@b.com",
			},
		},
		{
			Name:  "signed URL",
			Finds: "URLs and strings with a signature that grants access",
			Lower: `[?&;](x-(amz|goog)-)?(sig|signature|hmac)=[a-z0-9%+/_-]{16}`,
			Hints: []string{"sig=", "signature=", "hmac="},
			Texts: []string{
				"https://files.example.com/a?sv=1&sig=…", "?sig=…", "&X-Amz-Signature=…", "?Signature=…", "&amp;sig=…",
			},
			NotTexts: []string{"?sig=1", "?signal=…", "?design=…"},
		},
		{
			Name:  "webhook URL",
			Finds: "URLs that let anyone post to a chat or start an automation",
			Lower: `://(hooks[.]slack[.]com/|hooks[.]zapier[.]com/|` +
				`([a-z]+[.])?discord(app)?[.]com/api/(v[0-9]+/)?webhooks/|` +
				`[a-z0-9-]+[.]webhook[.]office[.]com/|outlook[.]office(365)?[.]com/webhook/|api[.]telegram[.]org/bot|` +
				`chat[.]googleapis[.]com/v1/spaces/|open[.](feishu[.]cn|larksuite[.]com)/open-apis/bot/|` +
				`qyapi[.]weixin[.]qq[.]com/cgi-bin/webhook/|[^/?# ]+/hooks/)[^ ]{16}`,
			Hints: []string{"://"},
			Texts: []string{
				"https://hooks.slack.com/services/T01/B02/…", "https://discord.com/api/webhooks/1/…",
				"https://acme.webhook.office.com/webhookb2/…", "https://api.telegram.org/bot1:…",
				"https://chat.example.com/hooks/…", "https://hooks.zapier.com/hooks/catch/1/…",
			},
			NotTexts: []string{
				"https://discord.com/channels/…", "https://example.com/docs/webhooks/…", "https://api.telegram.org/",
			},
		},
		{
			Name:  "Fanfare token",
			Finds: "service tokens of Fanfare",
			Token: `ff_[0-9a-f]{32}_[0-9a-f]{8}`,
			Hints: []string{"ff_"},
			Texts: []string{
				"ff_0123456789abcdef0123456789abcdef_…", "with ff_0123456789abcdef0123456789abcdef_….",
			},
			NotTexts: []string{"ff_0123456789abcdef0123456789abcdef", "diff_0123456789abcdef0123456789abcdef_…"},
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
			Token:    `gh[oprsu]_[A-Za-z0-9]{20}|github_pat_[A-Za-z0-9_]{20}`,
			Hints:    []string{"ghp_", "gho_", "ghr_", "ghs_", "ghu_", "github_pat"},
			Texts:    []string{"ghp_…", "gho_…", "ghr_…", "ghs_…", "ghu_…", "github_pat_…"},
			NotTexts: []string{"ghx_…"},
		},
		{
			Name:  "GitLab token",
			Finds: "tokens of GitLab",
			Token: `gl(pat|ptt|dt|rt|cbt|ft|soat|agent)-[A-Za-z0-9_-]{16}`,
			Hints: []string{"glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "glft-", "glsoat-", "glagent-"},
			Texts: []string{
				"glpat-…", "gldt-…", "glrt-…", "glptt-…", "glcbt-…", "glft-…", "glsoat-…", "glagent-…",
			},
			NotTexts: []string{"glpat-1"},
		},
		{
			Name:     "Slack token",
			Finds:    "tokens of Slack",
			Token:    `xox[a-z][-.][A-Za-z0-9-]{10}|xapp-[0-9]-[A-Za-z0-9-]{10}`,
			Hints:    []string{"xox", "xapp-"},
			Texts:    []string{"xoxb-…", "xoxe.xoxp-1-…", "xapp-1-…"},
			NotTexts: []string{"xoxo-xoxo", "xapp-installer"},
		},
		{
			Name:     "Stripe key",
			Finds:    "keys and webhook secrets of Stripe",
			Token:    `[rs]k_(live|test)_[A-Za-z0-9]{10}|whsec_[A-Za-z0-9+/]{16}`,
			Hints:    []string{"k_live", "k_test", "whsec"},
			Texts:    []string{"sk_live_…", "rk_test_…", "whsec_…"},
			NotTexts: []string{"task_test_…"},
		},
		{
			Name:     "sk- key",
			Finds:    "API keys that begin with sk-, such as those of OpenAI and Anthropic",
			Token:    `sk-[A-Za-z0-9_-]{20}`,
			Hints:    []string{"sk-"},
			Texts:    []string{"sk-…"},
			NotTexts: []string{"task-…"},
		},
		{
			Name:  "Google key",
			Finds: "API keys, access tokens, refresh tokens and client secrets of Google",
			Token: `AIza[A-Za-z0-9_-]{20}|ya29[.][A-Za-z0-9_.-]{16}|1//0[A-Za-z0-9_-]{20}|` +
				`GOCSPX-[A-Za-z0-9_-]{20}`,
			Hints:    []string{"aiza", "ya29.", "1//0", "gocspx-"},
			Texts:    []string{"AIza…", "ya29.…", "ya29.a0…", "1//0…", "GOCSPX-…"},
			NotTexts: []string{"aiza…", "ya29.", "maya29.…", "1//0"},
		},
		{
			Name:     "npm token",
			Finds:    "tokens of npm",
			Token:    `npm_[A-Za-z0-9]{20}`,
			Hints:    []string{"npm_"},
			Texts:    []string{"npm_…"},
			NotTexts: []string{"npm_config_registry"},
		},
		{
			Name:     "Hugging Face token",
			Finds:    "tokens of Hugging Face",
			Token:    `hf_[A-Za-z0-9]{20}`,
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
			Token:    `dop_v1_[0-9a-f]{20}`,
			Hints:    []string{"dop_v"},
			Texts:    []string{"dop_v1_…"},
			NotTexts: []string{"dop_v2_…"},
		},
		{
			Name:     "Shopify token",
			Finds:    "tokens of Shopify",
			Token:    `shp(at|ca|pa|ss)_[0-9a-fA-F]{20}`,
			Hints:    []string{"shp"},
			Texts:    []string{"shpat_…", "shpca_…", "shppa_…", "shpss_…"},
			NotTexts: []string{"shpxx_…"},
		},
		{
			Name:     "Vault token",
			Finds:    "tokens of HashiCorp Vault",
			Token:    `hv[sbr][.][A-Za-z0-9_-]{20}`,
			Hints:    []string{"hvs.", "hvb.", "hvr."},
			Texts:    []string{"hvs.…", "hvb.…", "hvr.…"},
			NotTexts: []string{"hvac.…", "hvs.1"},
		},
		{
			Name:     "PyPI token",
			Finds:    "tokens of PyPI",
			Token:    `pypi-[A-Za-z0-9_-]{16}`,
			Hints:    []string{"pypi-"},
			Texts:    []string{"pypi-…"},
			NotTexts: []string{"pypi-server"},
		},
		{
			Name:     "RubyGems key",
			Finds:    "API keys of RubyGems",
			Token:    `rubygems_[0-9a-f]{20}`,
			Hints:    []string{"rubygems_"},
			Texts:    []string{"rubygems_…"},
			NotTexts: []string{"rubygems_mirror"},
		},
		{
			Name:     "Docker token",
			Finds:    "tokens of Docker Hub",
			Token:    `dckr_[op]at_[A-Za-z0-9_-]{20}`,
			Hints:    []string{"dckr_"},
			Texts:    []string{"dckr_pat_…", "dckr_oat_…"},
			NotTexts: []string{"dckr_pat_1"},
		},
		{
			Name:     "Atlassian token",
			Finds:    "tokens of Atlassian",
			Token:    `AT[AC]TT3x[A-Za-z0-9_=-]{20}`,
			Hints:    []string{"atatt3x", "atctt3x"},
			Texts:    []string{"ATATT3x…", "ATCTT3x…"},
			NotTexts: []string{"ATATT3x"},
		},
		{
			Name:     "Databricks token",
			Finds:    "tokens of Databricks",
			Token:    `dapi[0-9a-f]{20}`,
			Hints:    []string{"dapi"},
			Texts:    []string{"dapi…"},
			NotTexts: []string{"dapi-client"},
		},
		{
			Name:     "Grafana token",
			Finds:    "tokens of Grafana",
			Token:    `gl(sa|c)_[A-Za-z0-9+/_]{20}`,
			Hints:    []string{"glsa_", "glc_"},
			Texts:    []string{"glsa_…", "glc_…"},
			NotTexts: []string{"glc_1"},
		},
		{
			Name:     "Linear key",
			Finds:    "API keys of Linear",
			Token:    `lin_(api|oauth)_[A-Za-z0-9]{20}`,
			Hints:    []string{"lin_api_", "lin_oauth_"},
			Texts:    []string{"lin_api_…", "lin_oauth_…"},
			NotTexts: []string{"lin_api_version"},
		},
		{
			Name:     "Telegram token",
			Finds:    "tokens of Telegram's bots",
			Token:    `[0-9]{8,10}:AA[A-Za-z0-9_-]{20}`,
			Hints:    []string{":aa"},
			Texts:    []string{"12345678:AA…"},
			NotTexts: []string{"12:AA…"},
		},
		{
			Name:     "Square token",
			Finds:    "tokens of Square",
			Token:    `sq0(atp|csp)-[A-Za-z0-9_-]{20}`,
			Hints:    []string{"sq0"},
			Texts:    []string{"sq0atp-…", "sq0csp-…"},
			NotTexts: []string{"sq0atp-1"},
		},
		{
			Name:     "Mailgun key",
			Finds:    "API keys of Mailgun",
			Token:    `key-[0-9a-f]{32}`,
			Hints:    []string{"key-"},
			Texts:    []string{"key-…"},
			NotTexts: []string{"key-value-store"},
		},
		{
			Name:     "Postman key",
			Finds:    "API keys of Postman",
			Token:    `PMAK-[0-9a-f]{20}`,
			Hints:    []string{"pmak-"},
			Texts:    []string{"PMAK-…"},
			NotTexts: []string{"PMAK-1"},
		},
		{
			Name:     "New Relic key",
			Finds:    "keys of New Relic",
			Token:    `NRAK-[A-Z0-9]{20}`,
			Hints:    []string{"nrak-"},
			Texts:    []string{"NRAK-…"},
			NotTexts: []string{"NRAK-1"},
		},
		{
			Name:     "Azure secret",
			Finds:    "client secrets of Microsoft Entra ID",
			Token:    `[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{20}`,
			Hints:    []string{"q~"},
			Texts:    []string{"abc8Q~…"},
			NotTexts: []string{"abc8Q~1"},
		},
	}
}
