package doctor

// Options of Centrifugo's configuration that remedies name, as in v5 and as in v6.
const (
	secretKey       = "token_hmac_secret_key (v6: client.token.hmac_secret_key)"
	subscriptionKey = "separate_subscription_token_config (v6: client.subscription_token.enabled)"
	insecureKey     = "client_insecure (v6: client.insecure)"
	unverifiedKey   = "client_insecure_skip_token_signature_verify (v6: client.insecure_skip_token_signature_verify)"
	anonymousKey    = "allow_anonymous_connect_without_token (v6: client.allow_anonymous_connect_without_token)"
	personalKey     = "user_subscribe_to_personal (v6: client.subscribe_to_user_personal_channel.enabled)"
	personalNameKey = "user_personal_channel_namespace " +
		"(v6: client.subscribe_to_user_personal_channel.personal_channel_namespace)"
	originsKey    = "allowed_origins (v6: client.allowed_origins)"
	engineKey     = `engine (v6: engine.type)`
	namespacesKey = "namespaces (v6: channel.namespaces)"
)

// inNamespace names options of a namespace, which have the same names in both versions.
func inNamespace(namespace, options string) string {
	return options + " of the namespace " + namespace + " in " + namespacesKey
}
